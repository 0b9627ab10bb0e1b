-- Courses of any status, for administrators.
CREATE INDEX courses_created ON courses (created_at DESC, id DESC);
