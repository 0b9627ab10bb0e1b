-- What users buy. All amounts are in minor units of the order's currency.
CREATE SEQUENCE order_numbers START 100001;
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    -- What people call the order by. Numbers of orders that were not made in the end are missing.
    number bigint NOT NULL DEFAULT nextval('order_numbers') UNIQUE,
    buyer_id uuid NOT NULL REFERENCES users (id),
    status text NOT NULL
        CHECK (status IN ('PENDING', 'PAID', 'PARTIALLY_REFUNDED', 'REFUNDED', 'FAILED', 'CANCELED', 'EXPIRED')),
    country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    total_minor bigint NOT NULL CHECK (total_minor >= 0),
    refunded_minor bigint NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND total_minor),
    -- Where the checkout leads back to.
    return_url text CHECK (char_length(return_url) <= 2000),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- When an unpaid order expires, and when the buyer is reminded before. Null when it is not due anymore.
    expires_at timestamptz,
    remind_at timestamptz,
    paid_at timestamptz,
    CHECK ((paid_at IS NOT NULL) = (status IN ('PAID', 'PARTIALLY_REFUNDED', 'REFUNDED'))),
    CHECK ((expires_at IS NOT NULL) = (status = 'PENDING')),
    CHECK (remind_at IS NULL OR status = 'PENDING'),
    CHECK (status <> 'REFUNDED' OR refunded_minor = total_minor)
);
CREATE INDEX orders_newest ON orders (created_at DESC, id DESC);
CREATE INDEX orders_of_buyer ON orders (buyer_id, created_at DESC, id DESC);
CREATE INDEX orders_by_status ON orders (status, created_at DESC, id DESC);
CREATE INDEX orders_expires_at ON orders (expires_at, id) WHERE expires_at IS NOT NULL;
CREATE INDEX orders_remind_at ON orders (remind_at, id) WHERE remind_at IS NOT NULL;

CREATE TABLE order_items (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    -- As in the order, for the index.
    buyer_id uuid NOT NULL,
    position smallint NOT NULL CHECK (position BETWEEN 0 AND 99),
    kind text NOT NULL CHECK (kind IN ('COURSE')),
    -- What it was called when it was ordered.
    title text NOT NULL CHECK (char_length(title) <= 200),
    -- Null once the course is deleted.
    course_id uuid REFERENCES courses (id) ON DELETE SET NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    refunded_minor bigint NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND amount_minor),
    -- Whether it is bought, or being paid for: its order is pending or paid, and the item was neither refunded in full nor
    -- charged back.
    is_live boolean NOT NULL,
    -- The access that was bought.
    entitlement_id uuid REFERENCES entitlements (id),
    UNIQUE (order_id, position)
);
-- The last guard against buying a course twice.
CREATE UNIQUE INDEX order_items_bought_once ON order_items (buyer_id, course_id) WHERE is_live;
CREATE INDEX order_items_course_id ON order_items (course_id);
CREATE INDEX order_items_entitlement_id ON order_items (entitlement_id) WHERE entitlement_id IS NOT NULL;

-- How an order is paid at a provider. An order that costs nothing has none.
CREATE TABLE payments (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL UNIQUE REFERENCES orders (id) ON DELETE CASCADE,
    provider text NOT NULL CHECK (provider IN ('SANDBOX')),
    -- The school's account at the provider.
    account text NOT NULL,
    -- CREATING: the checkout is to be created at the provider; OPEN: it was; ABANDONED: not asked about anymore.
    state text NOT NULL CHECK (state IN ('CREATING', 'OPEN', 'PAID', 'FAILED', 'ABANDONED')),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- The provider's id of the checkout.
    external_id text,
    checkout_url text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- When the provider is asked what has become of it; null when that is known.
    check_at timestamptz,
    CHECK ((state = 'CREATING') = (external_id IS NULL) OR state IN ('FAILED', 'ABANDONED')),
    CHECK ((check_at IS NOT NULL) = (state IN ('CREATING', 'OPEN')))
);
CREATE UNIQUE INDEX payments_external_id ON payments (provider, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX payments_check_at ON payments (check_at, id) WHERE check_at IS NOT NULL;

-- What the sandbox, a payment provider for development, knows of its checkouts.
CREATE TABLE sandbox_checkouts (
    id uuid PRIMARY KEY,
    -- The caller's id of the payment: the same again is the same checkout.
    reference text NOT NULL UNIQUE,
    title text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL,
    return_url text,
    state text NOT NULL CHECK (state IN ('OPEN', 'PAID', 'FAILED')),
    refunded_minor bigint NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND amount_minor),
    dispute text CHECK (dispute IN ('OPEN', 'WON', 'LOST')),
    created_at timestamptz NOT NULL
);
CREATE INDEX sandbox_checkouts_created_at ON sandbox_checkouts (created_at);
CREATE TABLE sandbox_refunds (
    id uuid PRIMARY KEY,
    checkout_id uuid NOT NULL REFERENCES sandbox_checkouts (id) ON DELETE CASCADE,
    -- The caller's id of the refund; null for one that was made on the page of the checkout.
    reference text UNIQUE,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0)
);
CREATE INDEX sandbox_refunds_checkout_id ON sandbox_refunds (checkout_id);
