-- What charges the next periods, if a subscription at the provider does.
ALTER TABLE memberships ADD COLUMN subscription_id text;
CREATE UNIQUE INDEX memberships_subscription_id ON memberships (provider, subscription_id)
    WHERE subscription_id IS NOT NULL;
-- All rows satisfy it, as it is wider than the one before.
ALTER TABLE memberships DROP CONSTRAINT memberships_check4,
    ADD CONSTRAINT memberships_charged_to
        CHECK ((provider IS NULL) = (authorization_id IS NULL AND subscription_id IS NULL)) NOT VALID;

-- Subscriptions at payment providers that checkouts of memberships have started. One that has ended stays known: what
-- it has charged may be told later.
CREATE TABLE provider_subscriptions (
    provider text NOT NULL CHECK (provider IN ('SANDBOX', 'STRIPE', 'RAZORPAY', 'PAYPAL')),
    external_id text NOT NULL,
    membership_id uuid NOT NULL REFERENCES memberships (id),
    -- ACTIVE: it charges its membership; ENDING: the provider is to be told to end it.
    state text NOT NULL CHECK (state IN ('ACTIVE', 'ENDING', 'ENDED')),
    -- When it charges for the first time, from which its other charges are counted.
    starts_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    -- When the provider is asked about it, or told to end it; null if there is nothing more to ask.
    check_at timestamptz,
    -- How often that was tried since something came of it.
    attempts integer NOT NULL DEFAULT 0,
    PRIMARY KEY (provider, external_id)
);
CREATE INDEX provider_subscriptions_membership_id ON provider_subscriptions (membership_id);
CREATE INDEX provider_subscriptions_to_ask ON provider_subscriptions (check_at)
    WHERE check_at IS NOT NULL AND state <> 'ENDING';
CREATE INDEX provider_subscriptions_to_end ON provider_subscriptions (check_at) WHERE state = 'ENDING';

-- Until now, prices were not created at these providers. The job that tells providers of them does it within a minute.
UPDATE plan_gateways SET status = 'PENDING', external_id = NULL, attempt_at = now()
    WHERE provider <> 'SANDBOX' AND status = 'ACTIVE';
UPDATE plan_gateways SET external_id = NULL WHERE provider <> 'SANDBOX' AND status = 'RETIRING';

-- When the subscription charges first that the checkout of a payment starts; null if it starts none.
ALTER TABLE payments ADD COLUMN subscription_starts_at timestamptz;
