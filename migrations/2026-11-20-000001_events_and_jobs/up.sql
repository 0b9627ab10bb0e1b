-- The log of everything that happened. A command inserts a row in its own transaction; the dispatcher gives it
-- its position after the commit, so that positions become visible in order and a reader never sees a gap close later.
CREATE TABLE events (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    topics text[] NOT NULL,
    payload jsonb NOT NULL,
    recorded_at timestamptz NOT NULL,
    position bigint UNIQUE,
    pushed_at timestamptz
);
CREATE INDEX events_unnumbered ON events (id) WHERE position IS NULL;
CREATE INDEX events_unpushed ON events (position) WHERE position IS NOT NULL AND pushed_at IS NULL;
CREATE INDEX events_recorded_at ON events (recorded_at);

-- The log by topic. `previous` is the position before this one in the same topic: a receiver whose last position is
-- smaller knows that it has missed something and reads the log.
CREATE TABLE event_topics (
    topic text NOT NULL,
    position bigint NOT NULL REFERENCES events (position) ON DELETE CASCADE,
    previous bigint NOT NULL,
    PRIMARY KEY (topic, position)
);
CREATE INDEX event_topics_position ON event_topics (position);

-- One row: its lock serialises numbering across nodes, its counter is the last position given.
CREATE TABLE event_counter (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    last_position bigint NOT NULL
);
INSERT INTO event_counter (last_position) VALUES (0);

CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    handler text NOT NULL,
    payload jsonb NOT NULL,
    -- What makes two requests for the same work one job: '<event id>/<handler>', '<cron name>@<instant>'.
    dedupe_key text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    run_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    leased_until timestamptz,
    leased_by uuid,
    last_error text,
    dead_at timestamptz
);
CREATE INDEX jobs_due ON jobs (run_at) WHERE dead_at IS NULL;
CREATE INDEX jobs_dead ON jobs (dead_at) WHERE dead_at IS NOT NULL;

-- The last instant for which each scheduled job was enqueued: moving it forward is how a node wins the turn.
CREATE TABLE cron_turns (
    name text PRIMARY KEY,
    last_at timestamptz NOT NULL
);

-- Events that other systems sent us, kept before they are answered with 2xx.
CREATE TABLE inbox (
    id uuid PRIMARY KEY,
    source text NOT NULL,
    external_id text NOT NULL,
    payload jsonb NOT NULL,
    received_at timestamptz NOT NULL,
    UNIQUE (source, external_id)
);
