-- Who is a member of a plan, until when, and when the next period is charged.
CREATE TABLE memberships (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    plan_id uuid NOT NULL REFERENCES plans (id),
    plan_price_id uuid NOT NULL REFERENCES plan_prices (id),
    -- The price from the next renewal on; null if it stays.
    next_price_id uuid REFERENCES plan_prices (id),
    -- What it is for, as in the plan: for the index, and kept when the course or category is deleted.
    kind text NOT NULL,
    course_id uuid,
    category_id uuid,
    status text NOT NULL
        CHECK (status IN ('PENDING', 'TRIALING', 'ACTIVE', 'PAST_DUE', 'PAUSED', 'CANCELED', 'EXPIRED')),
    -- The member's country when they bought it, for the tax of its renewals.
    country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    -- The number of the latest period that was paid for, and its limits.
    period integer NOT NULL DEFAULT 0 CHECK (period >= 0),
    period_starts_at timestamptz,
    period_ends_at timestamptz CHECK (period_ends_at > period_starts_at),
    -- The period ends so many intervals after this: the 31st stays the 31st after a short month.
    anchor_at timestamptz,
    anchor_intervals integer NOT NULL DEFAULT 0,
    -- When the next period is charged; null if it is not, or while that is in flight.
    billing_at timestamptz,
    -- When the member is reminded of it; null if they are not, or were.
    remind_at timestamptz,
    -- How often charging the next period has failed, and when for the first time.
    failures smallint NOT NULL DEFAULT 0,
    failed_at timestamptz,
    paused_at timestamptz,
    -- What is left of changes, in minor units of the price's currency: the next periods cost so much less.
    credit_minor bigint NOT NULL DEFAULT 0 CHECK (credit_minor >= 0),
    -- What the next periods are charged to: a checkout of this provider that was paid.
    provider text,
    authorization_id text,
    entitlement_id uuid REFERENCES entitlements (id),
    -- Since when it is of this plan.
    plan_since timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    CHECK ((ended_at IS NOT NULL) = (status = 'EXPIRED')),
    CHECK ((paused_at IS NOT NULL) = (status = 'PAUSED')),
    CHECK (billing_at IS NULL OR status IN ('TRIALING', 'ACTIVE', 'PAST_DUE')),
    CHECK ((provider IS NULL) = (authorization_id IS NULL))
);
-- The last guard: at most one live membership of a user for the same.
CREATE UNIQUE INDEX memberships_live ON memberships (user_id, kind, course_id, category_id) NULLS NOT DISTINCT
    WHERE status <> 'EXPIRED';
CREATE INDEX memberships_of_user ON memberships (user_id, created_at DESC, id DESC);
CREATE INDEX memberships_billing_at ON memberships (billing_at, id) WHERE billing_at IS NOT NULL;
CREATE INDEX memberships_remind_at ON memberships (remind_at, id) WHERE remind_at IS NOT NULL;
CREATE INDEX memberships_ending ON memberships (period_ends_at, id) WHERE status = 'CANCELED';
CREATE INDEX memberships_of_plan ON memberships (plan_id, id) WHERE status <> 'EXPIRED';
CREATE INDEX memberships_of_price ON memberships (plan_price_id, id) WHERE status <> 'EXPIRED';

-- What is charged: each period of a membership once.
CREATE TABLE membership_periods (
    id uuid PRIMARY KEY,
    membership_id uuid NOT NULL REFERENCES memberships (id) ON DELETE CASCADE,
    number integer NOT NULL CHECK (number > 0),
    reason text NOT NULL CHECK (reason IN ('START', 'TRIAL', 'RENEWAL', 'CHANGE')),
    plan_price_id uuid NOT NULL REFERENCES plan_prices (id),
    -- OPEN: ordered; VOID: not paid; REVOKED: refunded in full or charged back.
    state text NOT NULL CHECK (state IN ('OPEN', 'PAID', 'VOID', 'REVOKED')),
    -- The price without credit, what credit pays of it, and what credit is left then.
    price_minor bigint NOT NULL CHECK (price_minor >= 0),
    credit_minor bigint NOT NULL CHECK (credit_minor BETWEEN 0 AND price_minor),
    credit_left_minor bigint NOT NULL CHECK (credit_left_minor >= 0),
    -- What the member has paid, without tax that is added to prices.
    paid_minor bigint NOT NULL DEFAULT 0 CHECK (paid_minor >= 0),
    starts_at timestamptz,
    ends_at timestamptz,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX membership_periods_charged_once ON membership_periods (membership_id, number)
    WHERE state IN ('OPEN', 'PAID');
CREATE INDEX membership_periods_of_membership ON membership_periods (membership_id, number DESC, id DESC);

-- Access may end because its membership was changed, paused or canceled.
ALTER TABLE entitlements DROP CONSTRAINT entitlements_end_reason_check;
ALTER TABLE entitlements ADD CONSTRAINT entitlements_end_reason_check
    CHECK (end_reason IN ('EXPIRED', 'REVOKED', 'REFUNDED', 'ACCOUNT_DELETED', 'MEMBERSHIP_CHANGED')) NOT VALID;
