-- Students and followers are walked in the order of their ids, by indexes that also serve what the old ones served.
CREATE INDEX enrollments_course_user ON enrollments (course_id, user_id);
DROP INDEX enrollments_course_id;
CREATE INDEX channel_follows_channel_user ON channel_follows (channel_id, user_id);
DROP INDEX channel_follows_channel_id;
