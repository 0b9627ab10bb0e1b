-- Personal API tokens. The token itself is shown once and never stored; this is its SHA-256.
CREATE TABLE api_tokens (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    last_used_at timestamptz,
    last_used_ip text,
    revoked_at timestamptz,
    CHECK (expires_at > created_at)
);
CREATE INDEX api_tokens_user_id ON api_tokens (user_id, created_at DESC);
CREATE INDEX api_tokens_expires_at ON api_tokens (expires_at);
-- Every node asks for these twice a second.
CREATE INDEX api_tokens_revoked_at ON api_tokens (revoked_at) WHERE revoked_at IS NOT NULL;
