ALTER TABLE payments DROP CONSTRAINT payments_provider_check,
    ADD CONSTRAINT payments_provider_check CHECK (provider IN ('SANDBOX', 'STRIPE', 'RAZORPAY', 'PAYPAL')) NOT VALID;
ALTER TABLE payment_events DROP CONSTRAINT payment_events_provider_check,
    ADD CONSTRAINT payment_events_provider_check CHECK (provider IN ('SANDBOX', 'STRIPE', 'RAZORPAY', 'PAYPAL')) NOT VALID;
ALTER TABLE refunds DROP CONSTRAINT refunds_state_check,
    ADD CONSTRAINT refunds_state_check CHECK (state IN ('PENDING', 'DONE', 'FAILED')) NOT VALID;
