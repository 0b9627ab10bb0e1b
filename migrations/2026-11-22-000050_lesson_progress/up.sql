-- What the backfill has made of a course that was deleted meanwhile. The constraints are in force for all that is written
-- since, so that their check waits for nobody.
DELETE FROM enrollments WHERE NOT EXISTS (SELECT FROM courses WHERE courses.id = course_id);
ALTER TABLE enrollments VALIDATE CONSTRAINT enrollments_user_id_fkey;
ALTER TABLE enrollments VALIDATE CONSTRAINT enrollments_course_id_fkey;

-- What somebody has watched of a lesson. All rows of an enrollment are written under the lock of its row.
CREATE TABLE lesson_progress (
    enrollment_id uuid NOT NULL REFERENCES enrollments (id) ON DELETE CASCADE,
    -- Without a foreign key: to delete a lesson would otherwise delete a row of each student. Nothing counts rows of lessons
    -- that are gone.
    lesson_id uuid NOT NULL,
    -- Where to resume, and the time of the report that said so; null: none has.
    position_seconds integer NOT NULL,
    position_at timestamptz,
    watched_seconds integer NOT NULL,
    -- What was reported (src/enrollments/model/watching.rs): the settled seconds as from, to, from, to; until when they are,
    -- in seconds since 2020; and the later reports as time, number of ranges, from, to….
    settled integer[] NOT NULL,
    settled_at integer,
    reports integer[] NOT NULL,
    completed_at timestamptz,
    -- The user has undone the completion: watching does not complete it again.
    kept_open boolean NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (enrollment_id, lesson_id)
) WITH (fillfactor = 70);
