-- Somebody who has not shown yet that the address is theirs. There may be several for one address: the first to
-- confirm it becomes its user. Codes are not stored, not even hashed: see src/platform/auth/code.rs.
CREATE TABLE registrations (
    id uuid PRIMARY KEY,
    email text NOT NULL CHECK (email = lower(email) AND email LIKE '%_@_%' AND char_length(email) <= 254),
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    password_hash text NOT NULL,
    -- How many codes there were before the current one.
    resends integer NOT NULL CHECK (resends >= 0),
    -- Of the current code.
    tries_left integer NOT NULL CHECK (tries_left >= 0),
    sent_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > sent_at)
);
CREATE INDEX registrations_email ON registrations (email);
CREATE INDEX registrations_expires_at ON registrations (expires_at);

-- Users who want another address. Both are kept, so that a notice that is late still goes to the old one.
CREATE TABLE email_changes (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    old_email text NOT NULL,
    new_email text NOT NULL
        CHECK (new_email = lower(new_email) AND new_email LIKE '%_@_%' AND char_length(new_email) <= 254),
    tries_left integer NOT NULL CHECK (tries_left >= 0),
    requested_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > requested_at),
    -- When it was confirmed, or replaced by a later one.
    ended_at timestamptz
);
-- A user has one at a time.
CREATE UNIQUE INDEX email_changes_user_id ON email_changes (user_id) WHERE ended_at IS NULL;
CREATE INDEX email_changes_expires_at ON email_changes (expires_at);
