-- An id as the program makes them: UUID version 7 of an instant (RFC 9562, 5.7).
CREATE FUNCTION uuid_v7(instant timestamptz) RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT encode(
        set_byte(
            overlay(
                uuid_send(gen_random_uuid())
                PLACING substring(int8send((extract(epoch FROM instant) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
            6, (get_byte(uuid_send(gen_random_uuid()), 6) & 15) | 112),
        'hex')::uuid
$$;

-- What somebody learns: one row for each person and course, from the first access on, whatever becomes of that. Access is
-- decided by the entitlements alone.
CREATE TABLE enrollments (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    course_id uuid NOT NULL,
    -- When their access began for the first time.
    since timestamptz NOT NULL,
    -- When they last learned something, at most a minute late; null: never. It is in an index, and what is written more often
    -- is in none, so that most updates are HOT updates.
    last_activity_at timestamptz,
    -- When they had completed every lesson for the first time.
    completed_at timestamptz,
    -- What they have watched, in seconds of all lessons.
    watched_seconds integer NOT NULL DEFAULT 0,
    -- The days on which they learned, in their time zone: days since 1970, as from, to, from, to (to is the day after).
    active_days integer[] NOT NULL DEFAULT '{}',
    UNIQUE (user_id, course_id)
) WITH (fillfactor = 80);
-- A person's courses by when they began, and by when they were last learned from. Sorted by title or progress, which are not
-- in this table, the at most some thousand rows of a person are read all.
CREATE INDEX enrollments_since ON enrollments (user_id, since DESC, id DESC);
CREATE INDEX enrollments_activity ON enrollments (user_id, (coalesce(last_activity_at, since)) DESC, id DESC);
CREATE INDEX enrollments_course_id ON enrollments (course_id);

-- The row is made with the first entitlement to the course, in its transaction, whoever inserts that: also the version that
-- still serves while this is run. For entitlements to a category or to everything, it is made with the first progress.
CREATE FUNCTION enroll_entitled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO enrollments (id, user_id, course_id, since)
    VALUES (uuid_v7(NEW.starts_at), NEW.user_id, NEW.course_id, NEW.starts_at)
    ON CONFLICT (user_id, course_id) DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER entitlements_enroll AFTER INSERT ON entitlements
    FOR EACH ROW WHEN (NEW.course_id IS NOT NULL) EXECUTE FUNCTION enroll_entitled();
