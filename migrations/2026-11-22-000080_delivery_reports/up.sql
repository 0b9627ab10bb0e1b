-- Mails to addresses that do not work are told from those that their users did not want anymore. No release has rows in this
-- table yet.
ALTER TABLE notification_deliveries
    DROP CONSTRAINT notification_deliveries_status_check,
    ADD CONSTRAINT notification_deliveries_status_check
        CHECK (status IN ('PENDING', 'SENDING', 'SENT', 'SKIPPED', 'SUPPRESSED', 'FAILED'));

-- What became of the mails and push messages of an announcement, kept before their rows are deleted.
ALTER TABLE announcements ADD COLUMN report jsonb;
COMMENT ON COLUMN announcements.delivered_count IS 'the number of users who were shown it in their lists';
