-- As with courses: a version counts edits, and an edit of another version than the last is refused.
ALTER TABLE categories ADD COLUMN version integer NOT NULL DEFAULT 1 CHECK (version >= 1);
ALTER TABLE channels ADD COLUMN version integer NOT NULL DEFAULT 1 CHECK (version >= 1);
-- From now on the column says since when a lesson could be seen, also while it still can: what has it is no news.
UPDATE lessons SET first_published_at = lessons.published_at
FROM courses
WHERE courses.id = lessons.course_id AND lessons.published_at IS NOT NULL AND lessons.first_published_at IS NULL
    AND (courses.published_at IS NOT NULL OR courses.first_published_at IS NOT NULL);
