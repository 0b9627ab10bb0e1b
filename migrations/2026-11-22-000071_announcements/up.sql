-- What instructors and administrators announce. Publishing makes one notification, however many it reaches.
CREATE TABLE announcements (
    id uuid PRIMARY KEY,
    author_id uuid NOT NULL REFERENCES users (id),
    -- As in `notifications`.
    audience text NOT NULL,
    title text NOT NULL CHECK (char_length(title) <= 150),
    body text NOT NULL CHECK (char_length(body) <= 2000),
    publish_at timestamptz NOT NULL,
    published_at timestamptz,
    canceled_at timestamptz,
    -- The number of users in the audience when it was published.
    delivered_count bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL
);
-- The ids sort by time.
CREATE INDEX announcements_author ON announcements (author_id, id);
