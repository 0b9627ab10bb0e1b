CREATE INDEX channel_follows_channel_id ON channel_follows (channel_id);
DROP INDEX channel_follows_channel_user;
CREATE INDEX enrollments_course_id ON enrollments (course_id);
DROP INDEX enrollments_course_user;
