DELETE FROM payment_events WHERE provider = 'GOOGLE_PLAY';
ALTER TABLE payment_events DROP CONSTRAINT payment_events_provider_check,
    ADD CONSTRAINT payment_events_provider_check CHECK (provider IN ('SANDBOX', 'STRIPE', 'RAZORPAY', 'PAYPAL'));
