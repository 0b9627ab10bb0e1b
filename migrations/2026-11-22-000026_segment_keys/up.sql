-- The encrypted secret from which the keys of a video's HLS segments are derived. Videos from before have none.
ALTER TABLE videos ADD COLUMN hls_secret bytea;
