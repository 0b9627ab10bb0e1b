-- The enrollments of the entitlements from before the trigger, in a transaction of its own: it locks no row and nothing that
-- somebody waits for, however long it takes (some 25 s a million). There are no foreign keys before the end:
-- they would lock each user's row.
INSERT INTO enrollments (id, user_id, course_id, since)
SELECT uuid_v7(min(starts_at)), user_id, course_id, min(starts_at)
FROM entitlements JOIN users ON users.id = user_id
WHERE course_id IS NOT NULL AND deleted_at IS NULL
GROUP BY user_id, course_id
ON CONFLICT (user_id, course_id) DO NOTHING;

-- Not validated here: that reads the table while writers of users and courses wait. A later migration does it without them.
ALTER TABLE enrollments
    ADD CONSTRAINT enrollments_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE NOT VALID,
    ADD CONSTRAINT enrollments_course_id_fkey FOREIGN KEY (course_id) REFERENCES courses (id) ON DELETE CASCADE NOT VALID;
