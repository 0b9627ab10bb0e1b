DROP TABLE avatar_uploads;
DROP INDEX users_deletion_due_at;
ALTER TABLE users DROP CONSTRAINT users_deleted_check;
ALTER TABLE users DROP COLUMN deleted_at;
ALTER TABLE users DROP COLUMN deletion_due_at;
ALTER TABLE users DROP COLUMN avatar_key;
ALTER TABLE users DROP COLUMN time_zone;
ALTER TABLE users DROP COLUMN locale;
ALTER TABLE users DROP COLUMN bio;
