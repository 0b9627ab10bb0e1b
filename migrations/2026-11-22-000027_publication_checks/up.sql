-- What the commands ensure, guarded by the database. Rows from before are checked later without a long lock.
ALTER TABLE courses
    ADD CONSTRAINT courses_published_or_archived CHECK (published_at IS NULL OR archived_at IS NULL) NOT VALID,
    ADD CONSTRAINT courses_published_or_scheduled
        CHECK (publish_at IS NULL OR (published_at IS NULL AND archived_at IS NULL)) NOT VALID;
ALTER TABLE lessons
    ADD CONSTRAINT lessons_published_or_scheduled CHECK (publish_at IS NULL OR published_at IS NULL) NOT VALID;
ALTER TABLE courses VALIDATE CONSTRAINT courses_published_or_archived;
ALTER TABLE courses VALIDATE CONSTRAINT courses_published_or_scheduled;
ALTER TABLE lessons VALIDATE CONSTRAINT lessons_published_or_scheduled;
