-- The table is made again, with its columns in the order that they had.
CREATE TABLE previous_course_stats (
    course_id uuid NOT NULL,
    student_count integer NOT NULL DEFAULT 0,
    rating_hundredths integer NOT NULL DEFAULT 0,
    rating_count integer NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
INSERT INTO previous_course_stats SELECT course_id, student_count, rating_hundredths, rating_count FROM course_stats;
DROP TABLE course_stats;
ALTER TABLE previous_course_stats RENAME TO course_stats;
ALTER TABLE course_stats
    ADD PRIMARY KEY (course_id),
    ADD FOREIGN KEY (course_id) REFERENCES courses (id) ON DELETE CASCADE;
