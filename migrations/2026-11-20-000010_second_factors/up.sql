-- Time-based one-time passwords (RFC 6238), one secret for each user at most.
CREATE TABLE second_factors (
    user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    -- Encrypted by the program: reading the table is not enough to make codes.
    sealed_secret bytea NOT NULL,
    created_at timestamptz NOT NULL,
    -- Until then it only waits for the first code.
    confirmed_at timestamptz,
    -- The time step of the last code that was accepted; an older or equal one is a replay.
    last_step bigint NOT NULL DEFAULT 0
);

-- SHA-256 of each recovery code.
CREATE TABLE recovery_codes (
    user_id uuid NOT NULL REFERENCES second_factors (user_id) ON DELETE CASCADE,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    used_at timestamptz,
    PRIMARY KEY (user_id, hash)
);

-- Sign-ins that wait for the second factor.
CREATE TABLE sign_in_challenges (
    hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    tries_left integer NOT NULL CHECK (tries_left >= 0)
);
CREATE INDEX sign_in_challenges_expires_at ON sign_in_challenges (expires_at);
