-- The encrypted secret from which the keys of a video's HLS segments are derived. Videos from before have none.
ALTER TABLE videos ADD COLUMN hls_secret bytea;
-- Videos that nothing shows are deleted; those that nothing has ever shown get a month from now.
UPDATE videos SET delete_after = now() + interval '30 days'
WHERE delete_after IS NULL AND NOT EXISTS (SELECT 1 FROM video_references WHERE video_id = videos.id);
