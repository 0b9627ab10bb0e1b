COMMENT ON COLUMN lessons.resources IS NULL;
-- Files cannot be named there.
UPDATE lessons SET resources = (
    SELECT coalesce(jsonb_agg(jsonb_build_object('name', name, 'url', url) ORDER BY position), '[]')
    FROM lesson_resources WHERE lesson_id = lessons.id AND url IS NOT NULL
);
DROP TABLE lesson_resources;
DROP INDEX courses_thumbnail_id;
ALTER TABLE courses DROP CONSTRAINT courses_thumbnail;
UPDATE courses SET thumbnail_key = NULL WHERE thumbnail_key IS NOT NULL;
ALTER TABLE courses DROP COLUMN thumbnail_id;
DROP TABLE media_files;
-- They would become videos. What has arrived of them is found by `lyceum reconcile`.
DELETE FROM uploads WHERE purpose <> 'VIDEO';
ALTER TABLE uploads
    DROP COLUMN purpose,
    DROP COLUMN sha256;
