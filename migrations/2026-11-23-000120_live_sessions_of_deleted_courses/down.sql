UPDATE live_sessions SET course_id = NULL
WHERE course_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM courses WHERE courses.id = live_sessions.course_id);
ALTER TABLE live_sessions
    ADD CONSTRAINT live_sessions_course_id_fkey FOREIGN KEY (course_id) REFERENCES courses (id) ON DELETE SET NULL;
