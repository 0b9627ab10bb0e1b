ALTER TABLE notification_marks DROP COLUMN receipts;
DROP INDEX notification_receipts_kept;
DROP INDEX notification_receipts_unread;
DROP INDEX notification_receipts_archived;
DROP INDEX notification_receipts_read;
ALTER TABLE notification_receipts DROP COLUMN at;
CREATE INDEX notification_receipts_kept ON notification_receipts (user_id) WHERE kept;
