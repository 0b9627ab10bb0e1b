-- From now on the column says since when a lesson could be seen, also while it still can: what has it is no news.
UPDATE lessons SET first_published_at = lessons.published_at
FROM courses
WHERE courses.id = lessons.course_id AND lessons.published_at IS NOT NULL AND lessons.first_published_at IS NULL
    AND (courses.published_at IS NOT NULL OR courses.first_published_at IS NOT NULL);
