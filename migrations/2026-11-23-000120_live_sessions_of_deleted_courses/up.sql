-- A session keeps the id of a course that is deleted, so that a job finds it and cancels it, and that it stays hidden.
ALTER TABLE live_sessions DROP CONSTRAINT live_sessions_course_id_fkey;
