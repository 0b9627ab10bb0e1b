-- Mails to addresses that do not work are told from those that their users did not want anymore. No release has rows in this
-- table yet.
ALTER TABLE notification_deliveries
    DROP CONSTRAINT notification_deliveries_status_check,
    ADD CONSTRAINT notification_deliveries_status_check
        CHECK (status IN ('PENDING', 'SENDING', 'SENT', 'SKIPPED', 'SUPPRESSED', 'FAILED'));

-- What was sent to a device is known as long as what was sent by email, also after the device is gone.
ALTER TABLE notification_deliveries
    DROP CONSTRAINT notification_deliveries_check,
    ADD CONSTRAINT notification_deliveries_check CHECK (channel = 'PUSH' OR push_subscription_id IS NULL),
    DROP CONSTRAINT notification_deliveries_push_subscription_id_fkey,
    ADD CONSTRAINT notification_deliveries_push_subscription_id_fkey
        FOREIGN KEY (push_subscription_id) REFERENCES push_subscriptions (id) ON DELETE SET NULL;
DROP INDEX notification_deliveries_pending;
CREATE UNIQUE INDEX notification_deliveries_pending
    ON notification_deliveries (user_id, notification_id, channel, push_subscription_id) NULLS NOT DISTINCT
    WHERE status = 'PENDING' AND (channel = 'EMAIL' OR push_subscription_id IS NOT NULL);

-- What became of the mails and push messages of an announcement, kept before their rows are deleted.
ALTER TABLE announcements ADD COLUMN report jsonb;
COMMENT ON COLUMN announcements.delivered_count IS 'the number of users who were shown it in their lists';
