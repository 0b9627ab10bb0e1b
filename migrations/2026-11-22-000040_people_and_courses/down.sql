-- Nobody sees a deleted channel; without the column, everybody would.
DELETE FROM channels WHERE deleted_at IS NOT NULL;
ALTER TABLE channels DROP COLUMN deleted_at;
ALTER TABLE audit_entries DROP COLUMN request_id;
DROP INDEX sessions_ip;
DROP INDEX sessions_user_created_at;
DROP INDEX sessions_created_at;
ALTER TABLE users DROP COLUMN last_sign_in_at;
