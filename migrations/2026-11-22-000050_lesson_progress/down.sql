DROP TABLE lesson_progress;
-- A constraint cannot be made invalid again.
ALTER TABLE enrollments DROP CONSTRAINT enrollments_user_id_fkey, DROP CONSTRAINT enrollments_course_id_fkey;
ALTER TABLE enrollments
    ADD CONSTRAINT enrollments_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE NOT VALID,
    ADD CONSTRAINT enrollments_course_id_fkey FOREIGN KEY (course_id) REFERENCES courses (id) ON DELETE CASCADE NOT VALID;
