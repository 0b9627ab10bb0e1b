ALTER TABLE courses DROP COLUMN demo_video_id;
ALTER TABLE lessons DROP COLUMN video_id;
DROP TABLE videos;
