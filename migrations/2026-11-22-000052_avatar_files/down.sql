CREATE TABLE avatar_uploads (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    content_type text NOT NULL,
    size_bytes integer NOT NULL CHECK (size_bytes > 0),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX avatar_uploads_user_id ON avatar_uploads (user_id);
CREATE INDEX avatar_uploads_expires_at ON avatar_uploads (expires_at);
CREATE INDEX users_unprocessed_avatar ON users (id) WHERE avatar_key IS NOT NULL AND avatar_picture IS NULL;

ALTER TABLE users DROP COLUMN avatar_id;
-- The pictures themselves stay: their owners still have the files.
DELETE FROM file_references WHERE referrer_kind = 'user';
UPDATE media_files SET unused_since = now()
WHERE unused_since IS NULL
    AND NOT EXISTS (SELECT FROM file_references WHERE file_id = media_files.id);
-- What was adopted is the older table's again.
DELETE FROM media_files WHERE object_key LIKE 'avatars/%';
