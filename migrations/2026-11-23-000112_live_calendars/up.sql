-- The secret address of a user's calendar: the hash of its token.
CREATE TABLE live_calendars (
    user_id uuid PRIMARY KEY REFERENCES users (id),
    token_hash bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL
);
