CREATE TABLE users (
    id uuid PRIMARY KEY,
    -- Normalised by the program (trimmed, lower case); the check keeps a second spelling of one address out.
    email text NOT NULL UNIQUE CHECK (email = lower(email) AND email LIKE '%_@_%' AND char_length(email) <= 254),
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    role text NOT NULL CHECK (role IN ('STUDENT', 'INSTRUCTOR', 'ADMIN')),
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
