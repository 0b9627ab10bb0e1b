-- When somebody proved that the address is theirs. Only then may a service that vouches for the same address open the
-- account: whoever registered it first may be somebody else.
ALTER TABLE users ADD COLUMN email_verified_at timestamptz;

-- Who of ours a service means. The same subject of another issuer is somebody else.
CREATE TABLE identities (
    id uuid PRIMARY KEY,
    issuer text NOT NULL CHECK (char_length(issuer) BETWEEN 1 AND 2000),
    subject text NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 255),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- As the service told it last, for the owner to recognise the account there.
    email text CHECK (char_length(email) <= 254),
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    UNIQUE (issuer, subject)
);
CREATE INDEX identities_user_id ON identities (user_id, created_at);

-- Sign-ins with a service that have begun, each good once and for ten minutes.
CREATE TABLE identity_attempts (
    state_hash bytea PRIMARY KEY CHECK (octet_length(state_hash) = 32),
    -- Of the key that only the browser that began has.
    browser_hash bytea NOT NULL CHECK (octet_length(browser_hash) = 32),
    provider text NOT NULL,
    nonce text NOT NULL,
    pkce_verifier text NOT NULL,
    redirect_uri text NOT NULL,
    -- Whose account is to be linked; none to sign in.
    user_id uuid REFERENCES users (id) ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE INDEX identity_attempts_expires_at ON identity_attempts (expires_at);
