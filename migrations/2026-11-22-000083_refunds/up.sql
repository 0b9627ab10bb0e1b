-- Money that goes back to the buyer. An amount is in minor units of the order's currency.
CREATE TABLE refunds (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    reason text NOT NULL CHECK (char_length(reason) <= 500),
    -- PENDING: the provider is to be told; DONE: it has refunded the money.
    state text NOT NULL CHECK (state IN ('PENDING', 'DONE')),
    -- The administrator; null if the server did it by itself, or if it was made at the provider.
    requested_by uuid REFERENCES users (id),
    -- The provider's id; null until it is known.
    external_id text,
    created_at timestamptz NOT NULL,
    done_at timestamptz,
    CHECK ((done_at IS NOT NULL) = (state = 'DONE'))
);
CREATE INDEX refunds_order_id ON refunds (order_id, created_at);
CREATE INDEX refunds_requested_by ON refunds (requested_by) WHERE requested_by IS NOT NULL;
CREATE UNIQUE INDEX refunds_external_id ON refunds (order_id, external_id) WHERE external_id IS NOT NULL;
CREATE TABLE refund_items (
    refund_id uuid NOT NULL REFERENCES refunds (id) ON DELETE CASCADE,
    item_id uuid NOT NULL REFERENCES order_items (id) ON DELETE CASCADE,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    PRIMARY KEY (refund_id, item_id)
);
CREATE INDEX refund_items_item_id ON refund_items (item_id);

-- Payments that the buyer's bank has taken back, for as long as that is disputed.
CREATE TABLE disputes (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    external_id text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    status text NOT NULL CHECK (status IN ('OPEN', 'WON', 'LOST')),
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    CHECK ((closed_at IS NULL) = (status = 'OPEN')),
    UNIQUE (order_id, external_id)
);
