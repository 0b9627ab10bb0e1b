-- What payment providers have told: the inbox of their webhooks, without what is personal.
CREATE TABLE payment_events (
    id uuid PRIMARY KEY,
    provider text NOT NULL CHECK (provider IN ('SANDBOX')),
    -- The provider's id of the event, which is the same when it is sent again.
    external_id text NOT NULL,
    -- The payment that it names. It may not exist, or not yet.
    reference text NOT NULL,
    kind text NOT NULL,
    body jsonb NOT NULL,
    -- RECEIVED: to be processed; WAITING: its payment is not known yet; REFUSED: it contradicts the payment, or the payment
    -- has stayed unknown.
    state text NOT NULL CHECK (state IN ('RECEIVED', 'WAITING', 'PROCESSED', 'REFUSED')),
    attempts integer NOT NULL DEFAULT 0,
    last_error text,
    received_at timestamptz NOT NULL,
    processed_at timestamptz,
    UNIQUE (provider, external_id)
);
CREATE INDEX payment_events_newest ON payment_events (received_at DESC, id DESC);
CREATE INDEX payment_events_by_state ON payment_events (state, received_at DESC, id DESC);
CREATE INDEX payment_events_reference ON payment_events (reference);
