-- What people tell about themselves.
ALTER TABLE users ADD COLUMN bio text NOT NULL DEFAULT '' CHECK (char_length(bio) <= 1000);
ALTER TABLE users ADD COLUMN locale text CHECK (char_length(locale) BETWEEN 2 AND 35);
ALTER TABLE users ADD COLUMN time_zone text CHECK (char_length(time_zone) BETWEEN 1 AND 64);
-- Where the picture is in the object store.
ALTER TABLE users ADD COLUMN avatar_key text;

-- When an account that its user has given up is to be deleted, and when it was. Nothing of the person is left in a
-- deleted one: whatever would put something back, be it a race, is refused here.
ALTER TABLE users ADD COLUMN deletion_due_at timestamptz;
ALTER TABLE users ADD COLUMN deleted_at timestamptz;
ALTER TABLE users ADD CONSTRAINT users_deleted_check CHECK (
    deleted_at IS NULL
    OR (deletion_due_at IS NULL AND role = 'STUDENT' AND password_hash IS NULL AND bio = '' AND locale IS NULL
        AND time_zone IS NULL AND avatar_key IS NULL)
);
CREATE INDEX users_deletion_due_at ON users (deletion_due_at) WHERE deletion_due_at IS NOT NULL;

-- Permissions to upload a picture. They outlive the picture's user, because what was uploaded has to be removed: no
-- ON DELETE CASCADE.
CREATE TABLE avatar_uploads (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    content_type text NOT NULL,
    size_bytes integer NOT NULL CHECK (size_bytes > 0),
    -- Until when the file can be uploaded and the upload be completed.
    expires_at timestamptz NOT NULL,
    -- When it was completed, be the file right or wrong.
    ended_at timestamptz
);
CREATE INDEX avatar_uploads_user_id ON avatar_uploads (user_id);
CREATE INDEX avatar_uploads_expires_at ON avatar_uploads (expires_at);
