COMMENT ON COLUMN announcements.delivered_count IS NULL;
ALTER TABLE announcements DROP COLUMN report;
DELETE FROM notification_deliveries WHERE channel = 'PUSH' AND push_subscription_id IS NULL;
DROP INDEX notification_deliveries_pending;
CREATE UNIQUE INDEX notification_deliveries_pending
    ON notification_deliveries (user_id, notification_id, channel, push_subscription_id) NULLS NOT DISTINCT
    WHERE status = 'PENDING';
ALTER TABLE notification_deliveries
    DROP CONSTRAINT notification_deliveries_push_subscription_id_fkey,
    ADD CONSTRAINT notification_deliveries_push_subscription_id_fkey
        FOREIGN KEY (push_subscription_id) REFERENCES push_subscriptions (id) ON DELETE CASCADE,
    DROP CONSTRAINT notification_deliveries_check,
    ADD CONSTRAINT notification_deliveries_check CHECK ((channel = 'PUSH') = (push_subscription_id IS NOT NULL));
UPDATE notification_deliveries SET status = 'SKIPPED' WHERE status = 'SUPPRESSED';
ALTER TABLE notification_deliveries
    DROP CONSTRAINT notification_deliveries_status_check,
    ADD CONSTRAINT notification_deliveries_status_check
        CHECK (status IN ('PENDING', 'SENDING', 'SENT', 'SKIPPED', 'FAILED'));
