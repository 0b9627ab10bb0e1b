-- Lists find what is in a state by its receipts: those of a user, in the order of the list.
ALTER TABLE notification_receipts
    -- The time of the notification, as long as only the user has caused events since. The version before this one writes
    -- none: what it marks is at the end of some lists until it is marked again.
    ADD COLUMN at timestamptz NOT NULL DEFAULT 'epoch';
UPDATE notification_receipts AS receipt SET at = n.at FROM notifications AS n WHERE n.id = receipt.notification_id;
CREATE INDEX notification_receipts_read ON notification_receipts (user_id, at, notification_id)
    WHERE read_through IS NOT NULL;
CREATE INDEX notification_receipts_archived ON notification_receipts (user_id, at, notification_id)
    WHERE archived_through IS NOT NULL;
CREATE INDEX notification_receipts_unread ON notification_receipts (user_id, at, notification_id)
    WHERE kept AND read_through IS NULL;
DROP INDEX notification_receipts_kept;
CREATE INDEX notification_receipts_kept ON notification_receipts (user_id, at, notification_id) WHERE kept;

-- The number of receipts that a user has written since the marks were moved.
ALTER TABLE notification_marks ADD COLUMN receipts integer NOT NULL DEFAULT 0;
