-- Who signs in with another provider only has no password.
ALTER TABLE users ALTER COLUMN password_hash DROP NOT NULL;
-- Access tokens carry the version; a role change raises it, and older tokens are refused.
ALTER TABLE users ADD COLUMN token_version integer NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN tokens_changed_at timestamptz;
ALTER TABLE users ADD COLUMN banned_at timestamptz;
ALTER TABLE users ADD COLUMN banned_until timestamptz CHECK (banned_until > banned_at);
ALTER TABLE users ADD COLUMN ban_reason text CHECK (char_length(ban_reason) BETWEEN 1 AND 500);
ALTER TABLE users ADD CONSTRAINT users_ban_check CHECK ((banned_at IS NULL) = (ban_reason IS NULL));
-- Every node asks for these twice a second.
CREATE INDEX users_tokens_changed_at ON users (tokens_changed_at) WHERE tokens_changed_at IS NOT NULL;

-- One row for each sign-in: the family of its refresh tokens.
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_agent text NOT NULL CHECK (char_length(user_agent) <= 400),
    ip text,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    -- The refresh token that was exchanged last, for the grace that a lost answer gets.
    previous_hash bytea,
    ended_at timestamptz,
    end_reason text,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX sessions_user_id ON sessions (user_id, last_used_at DESC);
-- Every node asks for these twice a second.
CREATE INDEX sessions_ended_at ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- SHA-256 of each refresh token. Used ones are kept, so that a replay is recognised.
CREATE TABLE refresh_tokens (
    hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    issued_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX refresh_tokens_session_id ON refresh_tokens (session_id);

-- Who did what, from where. No foreign keys: the trail outlives what it speaks of.
CREATE TABLE audit_entries (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    action text NOT NULL,
    actor_id uuid,
    subject_id uuid,
    ip text,
    user_agent text NOT NULL,
    details jsonb NOT NULL
);
CREATE INDEX audit_entries_at ON audit_entries (at DESC, id DESC);
CREATE INDEX audit_entries_subject_id ON audit_entries (subject_id, at DESC, id DESC);
