ALTER TABLE lessons
    DROP COLUMN first_published_at,
    DROP COLUMN unlock_after_days,
    DROP COLUMN unlock_at;
ALTER TABLE courses DROP COLUMN first_published_at;
DROP TABLE entitlements;
