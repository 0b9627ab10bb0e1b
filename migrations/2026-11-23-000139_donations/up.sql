-- Donations that are repeated each month.
CREATE TABLE donations (
    id uuid PRIMARY KEY,
    donor_id uuid NOT NULL REFERENCES users (id),
    country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- Where the first one was paid, and the checkout that is charged again: null if each is paid on a page.
    provider text,
    authorization_id text,
    -- When the first one was paid: months are counted from then.
    started_at timestamptz,
    -- When the next one is ordered: null while one waits for its payment, and after the end.
    next_at timestamptz,
    -- How many in succession were not paid.
    failures smallint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    CHECK (next_at IS NULL OR (started_at IS NOT NULL AND ended_at IS NULL))
);
CREATE INDEX donations_of_donor ON donations (donor_id, created_at DESC, id DESC);
CREATE INDEX donations_next_at ON donations (next_at) WHERE next_at IS NOT NULL;

-- The orders of donations that are repeated.
CREATE TABLE donation_orders (
    order_id uuid PRIMARY KEY REFERENCES orders (id) ON DELETE CASCADE,
    donation_id uuid NOT NULL REFERENCES donations (id) ON DELETE CASCADE,
    -- Whether it is not known yet what becomes of it.
    is_open boolean NOT NULL
);
CREATE INDEX donation_orders_donation_id ON donation_orders (donation_id);
