-- Reads all rows, without the locks that the migration before has needed.
ALTER TABLE payments VALIDATE CONSTRAINT payments_provider_check;
ALTER TABLE payment_events VALIDATE CONSTRAINT payment_events_provider_check;
ALTER TABLE refunds VALIDATE CONSTRAINT refunds_state_check;
