ALTER TABLE payment_events DROP CONSTRAINT payment_events_provider_check,
    ADD CONSTRAINT payment_events_provider_check
        CHECK (provider IN ('SANDBOX', 'STRIPE', 'RAZORPAY', 'PAYPAL', 'GOOGLE_PLAY')) NOT VALID;
