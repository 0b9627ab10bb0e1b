-- What pages need of a picture: {"width", "height", "thumbHash", "widths"}; widths is empty until a job has made the
-- JPEG files of fixed widths. Null for what was uploaded before this migration, until a job has looked at it.
ALTER TABLE media_files
    ADD COLUMN picture jsonb,
    -- Why the picture cannot be shown.
    ADD COLUMN failure text;
-- The pictures that the previous version completes (src/media/query/file.rs).
CREATE INDEX media_files_unprocessed ON media_files (id)
    WHERE purpose = 'IMAGE' AND picture IS NULL AND failure IS NULL;

ALTER TABLE users ADD COLUMN avatar_picture jsonb;
-- As above (src/accounts/query/avatar.rs).
CREATE INDEX users_unprocessed_avatar ON users (id) WHERE avatar_key IS NOT NULL AND avatar_picture IS NULL;

ALTER TABLE categories
    ADD COLUMN description text NOT NULL DEFAULT '',
    ADD COLUMN image_id uuid REFERENCES media_files (id);
CREATE INDEX categories_image_id ON categories (image_id) WHERE image_id IS NOT NULL;

ALTER TABLE channels ADD COLUMN image_id uuid REFERENCES media_files (id);
CREATE INDEX channels_image_id ON channels (image_id) WHERE image_id IS NOT NULL;
