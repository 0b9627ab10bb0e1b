DROP TABLE event_pusher;
DROP INDEX audit_entries_email, team_invitations_expires_at, players_seen_at, inbox_received_at, refresh_tokens_used_at;
