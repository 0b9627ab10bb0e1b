DROP TABLE notification_mutes;
DROP TABLE notification_settings;
DROP TABLE notification_marks;
DROP TABLE notification_receipts;
DROP TABLE notification_events;
DROP TABLE notifications;
