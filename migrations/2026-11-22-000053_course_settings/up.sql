-- What a course's team sets for it. A course without a row has the defaults of the server.
CREATE TABLE course_settings (
    course_id uuid PRIMARY KEY REFERENCES courses (id) ON DELETE CASCADE,
    -- The share of a lesson's video that completes the lesson when it was watched.
    completion_percent integer CHECK (completion_percent BETWEEN 1 AND 100)
);
