-- Sessions are deleted some time after their end, so that the last sign-in is noted with the user. Until the next sign-in
-- of a user from before this column, it is the latest of the sessions (src/accounts/query/session_list.rs).
ALTER TABLE users ADD COLUMN last_sign_in_at timestamptz;

-- How administrators list sessions: everybody's, one user's, and those from an IP address or a network.
CREATE INDEX sessions_created_at ON sessions (created_at DESC, id DESC);
CREATE INDEX sessions_user_created_at ON sessions (user_id, created_at DESC, id DESC);
CREATE INDEX sessions_ip ON sessions ((ip::inet), created_at DESC, id DESC);

-- The request that an entry of the audit trail is of, as in the log.
ALTER TABLE audit_entries ADD COLUMN request_id text;

-- A deleted channel, until a job has removed its followers.
ALTER TABLE channels ADD COLUMN deleted_at timestamptz;
