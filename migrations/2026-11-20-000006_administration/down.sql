DROP INDEX audit_entries_action;
DROP INDEX audit_entries_actor_id;
DROP INDEX users_banned_at;
DROP INDEX users_team;
DROP INDEX users_name;
DROP INDEX users_created_at;
