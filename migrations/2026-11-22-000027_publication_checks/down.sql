ALTER TABLE lessons DROP CONSTRAINT lessons_published_or_scheduled;
ALTER TABLE courses
    DROP CONSTRAINT courses_published_or_scheduled,
    DROP CONSTRAINT courses_published_or_archived;
