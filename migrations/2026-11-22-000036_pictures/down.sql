DELETE FROM file_references WHERE referrer_kind IN ('category', 'channel');
UPDATE media_files SET unused_since = now() WHERE unused_since IS NULL
    AND NOT EXISTS (SELECT FROM file_references WHERE file_id = media_files.id);
ALTER TABLE channels DROP COLUMN image_id;
ALTER TABLE categories DROP COLUMN image_id, DROP COLUMN description;
DROP INDEX users_unprocessed_avatar;
ALTER TABLE users DROP COLUMN avatar_picture;
DROP INDEX media_files_unprocessed;
ALTER TABLE media_files DROP COLUMN failure, DROP COLUMN picture;
