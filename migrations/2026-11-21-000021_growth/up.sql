-- An entitlement is for a course, a category or everything. A default that is constant rewrites no table.
ALTER TABLE entitlements
    ADD COLUMN scope text NOT NULL DEFAULT 'COURSE' CHECK (scope IN ('COURSE', 'CATEGORY', 'EVERYTHING')),
    -- Null once the category is deleted: the entitlement then covers nothing.
    ADD COLUMN category_id uuid REFERENCES categories (id) ON DELETE SET NULL,
    ADD CONSTRAINT entitlements_target_check CHECK (
        (scope = 'COURSE' OR course_id IS NULL) AND (scope = 'CATEGORY' OR category_id IS NULL)
    );
-- A course is never deleted while an entitlement to it is open. (For the other scopes there is no course.)
ALTER TABLE entitlements DROP CONSTRAINT entitlements_check2;
ALTER TABLE entitlements ADD CONSTRAINT entitlements_open_check
    CHECK (scope <> 'COURSE' OR course_id IS NOT NULL OR ended_at IS NOT NULL);
CREATE INDEX entitlements_category_id ON entitlements (category_id) WHERE category_id IS NOT NULL;
-- The few that are not for one course: they are read for each course that their user asks for.
CREATE INDEX entitlements_broad ON entitlements (user_id) WHERE scope <> 'COURSE';
CREATE UNIQUE INDEX entitlements_broad_given_once
    ON entitlements (user_id, scope, category_id, source) NULLS NOT DISTINCT
    WHERE ended_at IS NULL AND scope <> 'COURSE' AND source IN ('GRANT', 'FREE', 'STAFF');

-- Who shows a video or refers to a file, for all features alike: what nothing refers to is deleted after the grace period.
CREATE TABLE video_references (
    video_id uuid NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
    -- The prefix of the referrer's id, and the id: ('lesson', …).
    referrer_kind text NOT NULL,
    referrer_id uuid NOT NULL,
    PRIMARY KEY (video_id, referrer_id)
);
CREATE INDEX video_references_referrer ON video_references (referrer_id);
CREATE TABLE file_references (
    file_id uuid NOT NULL REFERENCES media_files (id) ON DELETE CASCADE,
    referrer_kind text NOT NULL,
    referrer_id uuid NOT NULL,
    PRIMARY KEY (file_id, referrer_id)
);
CREATE INDEX file_references_referrer ON file_references (referrer_id);
INSERT INTO video_references SELECT video_id, 'lesson', id FROM lessons WHERE video_id IS NOT NULL;
INSERT INTO video_references SELECT demo_video_id, 'course', id FROM courses WHERE demo_video_id IS NOT NULL;
INSERT INTO file_references
    SELECT DISTINCT file_id, 'lesson', lesson_id FROM lesson_resources WHERE file_id IS NOT NULL;
INSERT INTO file_references SELECT thumbnail_id, 'course', id FROM courses WHERE thumbnail_id IS NOT NULL;

-- Counts and aggregates are beside the row that they are about: each enrollment would otherwise lock the course's row and
-- rewrite it with all its index entries. No index here, and room in each page, so that every update is a HOT update. No
-- CHECK either: a count that is wrong must not keep anybody from getting or losing access; a job recounts every night.
CREATE TABLE course_stats (
    course_id uuid PRIMARY KEY REFERENCES courses (id) ON DELETE CASCADE,
    student_count integer NOT NULL DEFAULT 0,
    rating_hundredths integer NOT NULL DEFAULT 0,
    rating_count integer NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
INSERT INTO course_stats SELECT id, student_count, rating_hundredths, rating_count FROM courses;
-- What the course's row has are sort keys: `popularity` and `rating_hundredths`, refreshed every minute by a job, which also
-- fills them in. `student_count` and `rating_count` stay for the version that still serves while this is run; nothing else
-- reads or writes them, and a later migration drops them.
ALTER TABLE courses ADD COLUMN popularity integer NOT NULL DEFAULT 0;
DROP INDEX courses_popular;
CREATE INDEX courses_popular ON courses (popularity DESC, id DESC)
    WHERE published_at IS NOT NULL AND archived_at IS NULL;

CREATE TABLE channel_stats (
    channel_id uuid PRIMARY KEY REFERENCES channels (id) ON DELETE CASCADE,
    follower_count integer NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
-- `channels.follower_count` stays for the old version, too.
INSERT INTO channel_stats SELECT id, follower_count FROM channels;
