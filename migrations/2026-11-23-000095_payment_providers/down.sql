ALTER TABLE refunds DROP COLUMN failure;
DELETE FROM refunds WHERE state = 'FAILED';
ALTER TABLE refunds DROP CONSTRAINT refunds_state_check,
    ADD CONSTRAINT refunds_state_check CHECK (state IN ('PENDING', 'DONE'));
DROP INDEX payments_transaction_id;
ALTER TABLE payments DROP COLUMN transaction_id;
DELETE FROM payment_events WHERE provider <> 'SANDBOX';
ALTER TABLE payment_events DROP CONSTRAINT payment_events_provider_check,
    ADD CONSTRAINT payment_events_provider_check CHECK (provider IN ('SANDBOX'));
DELETE FROM payments WHERE provider <> 'SANDBOX';
ALTER TABLE payments DROP CONSTRAINT payments_provider_check,
    ADD CONSTRAINT payments_provider_check CHECK (provider IN ('SANDBOX'));
