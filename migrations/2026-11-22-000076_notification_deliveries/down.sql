DROP TABLE notification_unsubscribes;
DROP TABLE notification_deliveries;
DROP TABLE notification_walks;
DROP TABLE push_subscriptions;
