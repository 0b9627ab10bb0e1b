UPDATE events SET payload = payload - 'published_at' - 'kind' - 'channel_id' WHERE kind = 'lesson_published';
ALTER TABLE lessons DROP CONSTRAINT lessons_kind_video;
UPDATE lessons SET duration_seconds = 60 WHERE duration_seconds IS NULL;
ALTER TABLE lessons DROP COLUMN kind, ALTER COLUMN duration_seconds SET NOT NULL;
