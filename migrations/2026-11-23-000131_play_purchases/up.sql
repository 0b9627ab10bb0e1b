-- A membership that is paid on Google Play: what becomes of it, is decided there.
ALTER TABLE memberships ADD COLUMN is_play boolean NOT NULL DEFAULT false;

-- What is sold on Google Play: the price that a product and its base plan are.
CREATE TABLE play_products (
    plan_price_id uuid PRIMARY KEY REFERENCES plan_prices (id) ON DELETE CASCADE,
    product text NOT NULL CHECK (char_length(product) BETWEEN 1 AND 150),
    -- Empty for subscriptions from before base plans.
    base_plan text NOT NULL CHECK (char_length(base_plan) <= 150)
);
CREATE UNIQUE INDEX play_products_product ON play_products (product, base_plan);

-- What was bought on Google Play. The token is the key there; it is a secret of its owner.
CREATE TABLE play_purchases (
    token text PRIMARY KEY CHECK (char_length(token) BETWEEN 1 AND 1000),
    user_id uuid NOT NULL REFERENCES users (id),
    membership_id uuid NOT NULL REFERENCES memberships (id),
    product text NOT NULL,
    base_plan text NOT NULL,
    google_order text,
    -- REPLACED: by another purchase, which its membership follows since then.
    state text NOT NULL
        CHECK (state IN ('ACTIVE', 'IN_GRACE_PERIOD', 'ON_HOLD', 'PAUSED', 'CANCELED', 'EXPIRED', 'REPLACED')),
    expires_at timestamptz,
    -- The token of the purchase that this one has replaced.
    linked_token text,
    -- Google refunds what is not acknowledged within three days.
    acknowledged_at timestamptz,
    -- When Google was asked last, and when it is asked next: null if it is not.
    checked_at timestamptz NOT NULL,
    check_at timestamptz,
    -- How often that, or the acknowledgement, has failed since it succeeded.
    failures integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL
);
CREATE INDEX play_purchases_check_at ON play_purchases (check_at) WHERE check_at IS NOT NULL;
CREATE INDEX play_purchases_of_user ON play_purchases (user_id, created_at DESC);
CREATE INDEX play_purchases_membership_id ON play_purchases (membership_id);
