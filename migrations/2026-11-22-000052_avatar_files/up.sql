-- A user's picture is an uploaded file like any other. Servers of the previous version cannot upload pictures of users
-- any more; everything else goes on there, so users.avatar_key and users.avatar_picture stay until a later migration.
ALTER TABLE users ADD COLUMN avatar_id uuid REFERENCES media_files (id);
CREATE INDEX users_avatar_id ON users (avatar_id) WHERE avatar_id IS NOT NULL;
ALTER TABLE users ADD CONSTRAINT users_deleted_avatar_check CHECK (deleted_at IS NULL OR avatar_id IS NULL);

-- The old table did not keep what arrived: the size counts as one byte. media.process_old_images makes the renditions.
INSERT INTO media_files (id, owner_id, purpose, filename, object_key, content_type, size_bytes, created_at)
SELECT substr(avatar_key, 9)::uuid, id, 'IMAGE', 'avatar', avatar_key, 'image/*', 1, updated_at
FROM users
WHERE avatar_key ~ '^avatars/[0-9a-f]{32}$';
INSERT INTO file_references (file_id, referrer_kind, referrer_id)
SELECT substr(avatar_key, 9)::uuid, 'user', id FROM users WHERE avatar_key ~ '^avatars/[0-9a-f]{32}$';
UPDATE users SET avatar_id = substr(avatar_key, 9)::uuid WHERE avatar_key ~ '^avatars/[0-9a-f]{32}$';

DROP INDEX users_unprocessed_avatar;
DROP TABLE avatar_uploads;
