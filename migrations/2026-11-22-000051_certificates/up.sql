-- That somebody has completed a course: issued once, and kept whatever becomes of the course.
CREATE TABLE certificates (
    id uuid PRIMARY KEY,
    -- By what everybody can verify it: 60 random bits in Crockford's Base32.
    code text NOT NULL UNIQUE CHECK (code ~ '^[0-9A-HJKMNP-TV-Z]{12}$'),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- Null once the course is gone.
    course_id uuid REFERENCES courses (id) ON DELETE SET NULL,
    -- As both were called when it was issued.
    holder_name text NOT NULL,
    course_title text NOT NULL,
    issued_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoke_reason text CHECK (char_length(revoke_reason) <= 500),
    -- Whether the holder lets everybody who has the code see their name.
    is_public boolean NOT NULL DEFAULT false,
    UNIQUE (user_id, course_id),
    CHECK ((revoked_at IS NULL) = (revoke_reason IS NULL))
);
CREATE INDEX certificates_course_id ON certificates (course_id) WHERE course_id IS NOT NULL;
