//! What is deleted when it is old.

use crate::platform::retention::Retention;

/// Events, which are older than their notification if others have happened since.
pub(crate) const EVENTS: Retention = Retention::new("notification_events", "at");
/// Receipts that were not changed since, and are of notifications that are deleted next.
pub(crate) const RECEIPTS: Retention = Retention::new("notification_receipts", "changed_at");
/// Notifications of which nothing has happened since.
pub(crate) const NOTIFICATIONS: Retention = Retention::new("notifications", "at");
/// Notifications of one user who has read them.
pub(crate) const READ: Retention = Retention {
    only: "audience LIKE 'user:%' AND (EXISTS (SELECT FROM notification_receipts AS receipt \
            WHERE receipt.notification_id = notifications.id AND receipt.read_through >= notifications.at) \
        OR EXISTS (SELECT FROM notification_marks AS mark WHERE mark.user_id = substr(audience, 6)::uuid \
            AND mark.read_through >= notifications.at) AND NOT EXISTS (SELECT FROM notification_receipts AS receipt \
            WHERE receipt.notification_id = notifications.id AND receipt.kept))",
    ..Retention::new("notifications", "at")
};
/// What was sent to whom.
pub(crate) const DELIVERIES: Retention =
    Retention { only: "ended_at IS NOT NULL", ..Retention::new("notification_deliveries", "ended_at") };
