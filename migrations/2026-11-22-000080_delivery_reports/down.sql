COMMENT ON COLUMN announcements.delivered_count IS NULL;
ALTER TABLE announcements DROP COLUMN report;
UPDATE notification_deliveries SET status = 'SKIPPED' WHERE status = 'SUPPRESSED';
ALTER TABLE notification_deliveries
    DROP CONSTRAINT notification_deliveries_status_check,
    ADD CONSTRAINT notification_deliveries_status_check
        CHECK (status IN ('PENDING', 'SENDING', 'SENT', 'SKIPPED', 'FAILED'));
