-- Lessons need not be videos, and the duration of a video is unknown until it is processed.
ALTER TABLE lessons
    ADD COLUMN kind text NOT NULL DEFAULT 'VIDEO' CHECK (kind IN ('VIDEO', 'ARTICLE')),
    ALTER COLUMN duration_seconds DROP NOT NULL;
-- A published lesson without a video has been an article all along.
UPDATE lessons SET kind = 'ARTICLE' WHERE video_id IS NULL AND published_at IS NOT NULL;
ALTER TABLE lessons ADD CONSTRAINT lessons_kind_video CHECK (
    CASE kind WHEN 'VIDEO' THEN published_at IS NULL OR video_id IS NOT NULL ELSE video_id IS NULL END
) NOT VALID;
ALTER TABLE lessons VALIDATE CONSTRAINT lessons_kind_video;
-- When the lesson was published, and of which kind it is: the log has it for events of before, too.
UPDATE events SET payload = payload || jsonb_build_object('published_at', recorded_at, 'kind', 'VIDEO')
WHERE kind = 'lesson_published';
