-- How administrators list users: the newest first, or by name. By address, the unique index is enough.
CREATE INDEX users_created_at ON users (created_at, id);
CREATE INDEX users_name ON users (lower(name), id);
-- The few of many: the team, whose administrators are locked at each change of a role, and those who are banned.
CREATE INDEX users_team ON users (role) WHERE role <> 'STUDENT';
CREATE INDEX users_banned_at ON users (banned_at) WHERE banned_at IS NOT NULL;

-- The trail by who did it and by what was done. By time and by subject there are indexes already.
CREATE INDEX audit_entries_actor_id ON audit_entries (actor_id, at DESC, id DESC);
CREATE INDEX audit_entries_action ON audit_entries (action, at DESC, id DESC);
