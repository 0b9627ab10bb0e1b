CREATE TABLE courses (
    id uuid PRIMARY KEY,
    slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND char_length(slug) <= 80),
    title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 120),
    subtitle text NOT NULL DEFAULT '' CHECK (char_length(subtitle) <= 200),
    description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 20000),
    instructor_id uuid NOT NULL REFERENCES users (id),
    -- Kept in the row because counting them for each course of a page is what makes a catalog slow.
    lesson_count integer NOT NULL DEFAULT 0 CHECK (lesson_count >= 0),
    duration_seconds integer NOT NULL DEFAULT 0 CHECK (duration_seconds >= 0),
    published_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX courses_published ON courses (published_at DESC, id DESC) WHERE published_at IS NOT NULL;
CREATE INDEX courses_instructor ON courses (instructor_id, created_at DESC, id DESC);

CREATE TABLE sections (
    id uuid PRIMARY KEY,
    course_id uuid NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    position integer NOT NULL CHECK (position >= 1),
    title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 120),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (course_id, position) DEFERRABLE INITIALLY IMMEDIATE,
    -- What lets a lesson prove that its section is of its own course.
    UNIQUE (id, course_id)
);

CREATE TABLE lessons (
    id uuid PRIMARY KEY,
    course_id uuid NOT NULL,
    section_id uuid NOT NULL,
    position integer NOT NULL CHECK (position >= 1),
    title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 120),
    duration_seconds integer NOT NULL CHECK (duration_seconds BETWEEN 1 AND 86400),
    published_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (section_id, position) DEFERRABLE INITIALLY IMMEDIATE,
    FOREIGN KEY (section_id, course_id) REFERENCES sections (id, course_id) ON DELETE CASCADE
);
CREATE INDEX lessons_course ON lessons (course_id);
