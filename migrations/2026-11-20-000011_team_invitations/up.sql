-- People who are to join the team and have no account yet, one invitation for each address. What the link in the mail
-- proves is not stored: see src/platform/auth/code.rs.
CREATE TABLE team_invitations (
    id uuid PRIMARY KEY,
    email text NOT NULL UNIQUE
        CHECK (email = lower(email) AND email LIKE '%_@_%' AND char_length(email) <= 254),
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    role text NOT NULL CHECK (role IN ('INSTRUCTOR', 'ADMIN')),
    invited_by uuid NOT NULL REFERENCES users (id),
    sent_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > sent_at)
);
