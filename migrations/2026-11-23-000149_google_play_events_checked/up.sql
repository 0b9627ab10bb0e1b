-- Reads all rows, without the lock that the migration before has needed.
ALTER TABLE payment_events VALIDATE CONSTRAINT payment_events_provider_check;
