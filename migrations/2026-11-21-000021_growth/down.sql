UPDATE channels SET follower_count = stats.follower_count FROM channel_stats stats WHERE stats.channel_id = channels.id;
DROP TABLE channel_stats;

ALTER TABLE courses DROP COLUMN popularity;
CREATE INDEX courses_popular ON courses (student_count DESC, id DESC)
    WHERE published_at IS NOT NULL AND archived_at IS NULL;
UPDATE courses SET student_count = stats.student_count, rating_hundredths = stats.rating_hundredths,
    rating_count = stats.rating_count
FROM course_stats stats WHERE stats.course_id = courses.id;
DROP TABLE course_stats;

DROP TABLE file_references;
DROP TABLE video_references;

-- What is for a category or for everything did not exist before.
DELETE FROM entitlements WHERE scope <> 'COURSE';
DROP INDEX entitlements_broad_given_once, entitlements_broad, entitlements_category_id;
ALTER TABLE entitlements DROP CONSTRAINT entitlements_open_check;
ALTER TABLE entitlements ADD CONSTRAINT entitlements_check2 CHECK (course_id IS NOT NULL OR ended_at IS NOT NULL);
ALTER TABLE entitlements DROP COLUMN category_id, DROP COLUMN scope;
