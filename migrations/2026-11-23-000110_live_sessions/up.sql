-- The sessions that were made with one recurrence rule.
CREATE TABLE live_series (
    id uuid PRIMARY KEY,
    rule text NOT NULL CHECK (rule <> ''),
    time_zone text NOT NULL CHECK (time_zone <> ''),
    created_at timestamptz NOT NULL
);

CREATE TABLE live_sessions (
    id uuid PRIMARY KEY,
    series_id uuid REFERENCES live_series (id),
    host_id uuid NOT NULL REFERENCES users (id),
    -- What it is about: a course, a category, or neither.
    course_id uuid REFERENCES courses (id) ON DELETE SET NULL,
    category_id uuid REFERENCES categories (id) ON DELETE SET NULL,
    title text NOT NULL CHECK (title <> ''),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    capacity integer CHECK (capacity > 0),
    meeting_url text,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    -- When the first participant, or the host, has entered; and when the last one has left.
    started_at timestamptz,
    ended_at timestamptz,
    canceled_at timestamptz,
    settled_at timestamptz,
    -- When participants are reminded next.
    remind_at timestamptz,
    CHECK (course_id IS NULL OR category_id IS NULL),
    CHECK (ends_at - starts_at IN (interval '30 minutes', interval '45 minutes', interval '60 minutes',
        interval '90 minutes')),
    CHECK (canceled_at IS NULL OR settled_at IS NULL)
);
CREATE INDEX live_sessions_starts_at ON live_sessions (starts_at, id);
CREATE INDEX live_sessions_course_id ON live_sessions (course_id, starts_at, id) WHERE course_id IS NOT NULL;
CREATE INDEX live_sessions_category_id ON live_sessions (category_id, starts_at, id) WHERE category_id IS NOT NULL;
CREATE INDEX live_sessions_host_id ON live_sessions (host_id, starts_at, id);
CREATE INDEX live_sessions_series_id ON live_sessions (series_id, starts_at) WHERE series_id IS NOT NULL;
CREATE INDEX live_sessions_remind_at ON live_sessions (remind_at, id) WHERE remind_at IS NOT NULL;
CREATE INDEX live_sessions_unsettled ON live_sessions (ends_at, id) WHERE settled_at IS NULL AND canceled_at IS NULL;

-- A host is not in two sessions at once. btree_gist brings the operators for ids, in a schema that need not be on the
-- search path. Migrations of other schemas of this database wait, as CREATE EXTENSION cannot run twice at once.
DO $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('lyceum.btree_gist'));
    CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;
    EXECUTE format(
        'ALTER TABLE live_sessions ADD CONSTRAINT live_sessions_host_is_free EXCLUDE USING gist
            (host_id %I.gist_uuid_ops WITH =, tstzrange(starts_at, ends_at) WITH &&)
            WHERE (canceled_at IS NULL) DEFERRABLE INITIALLY IMMEDIATE',
        (SELECT nspname FROM pg_namespace JOIN pg_extension ON extnamespace = pg_namespace.oid
            WHERE extname = 'btree_gist'));
END
$$;
