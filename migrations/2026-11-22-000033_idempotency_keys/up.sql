-- What was created with an idempotency key. A row is written in the transaction that creates, so that of concurrent
-- requests with one key the others wait for the first.
CREATE TABLE idempotency_keys (
    -- No foreign key: rows live for a day only.
    user_id uuid NOT NULL,
    key text NOT NULL CHECK (char_length(key) BETWEEN 1 AND 100),
    -- SHA-256 of the mutation and its input.
    input_hash bytea NOT NULL CHECK (octet_length(input_hash) = 32),
    -- The id of what was created.
    created_id uuid,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
