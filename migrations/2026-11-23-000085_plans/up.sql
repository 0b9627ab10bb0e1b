-- What memberships are sold for. A price is never changed: an edit is a new version, and the old one is retired.
CREATE TABLE plans (
    id uuid PRIMARY KEY,
    slug text NOT NULL UNIQUE CHECK (char_length(slug) BETWEEN 1 AND 80),
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 80),
    description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 2000),
    kind text NOT NULL CHECK (kind IN ('LIVE_CLASS', 'COURSE', 'CATEGORY', 'ALL_ACCESS')),
    -- What it gives access to. Null for other kinds, and once that is deleted: a job archives the plan then.
    course_id uuid REFERENCES courses (id) ON DELETE SET NULL,
    category_id uuid REFERENCES categories (id) ON DELETE SET NULL,
    live_minutes_per_month integer CHECK (live_minutes_per_month BETWEEN 1 AND 44640),
    -- When on the last day of a period the next one is charged; null for its end.
    renewal_cron text CHECK (char_length(renewal_cron) <= 100),
    created_at timestamptz NOT NULL,
    archived_at timestamptz,
    CHECK (kind = 'COURSE' OR course_id IS NULL),
    CHECK (kind = 'CATEGORY' OR category_id IS NULL),
    CHECK ((kind = 'LIVE_CLASS') = (live_minutes_per_month IS NOT NULL))
);
CREATE INDEX plans_newest ON plans (created_at DESC, id DESC);
CREATE INDEX plans_course_id ON plans (course_id) WHERE course_id IS NOT NULL;
CREATE INDEX plans_category_id ON plans (category_id) WHERE category_id IS NOT NULL;
CREATE INDEX plans_without_target ON plans (id)
    WHERE archived_at IS NULL AND ((kind = 'COURSE' AND course_id IS NULL) OR (kind = 'CATEGORY' AND category_id IS NULL));

CREATE TABLE plan_prices (
    id uuid PRIMARY KEY,
    plan_id uuid NOT NULL REFERENCES plans (id) ON DELETE CASCADE,
    billing_interval text NOT NULL CHECK (billing_interval IN ('MONTH', 'QUARTER', 'YEAR')),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    trial_days smallint NOT NULL CHECK (trial_days BETWEEN 0 AND 365),
    created_at timestamptz NOT NULL,
    retired_at timestamptz
);
CREATE INDEX plan_prices_plan_id ON plan_prices (plan_id);
CREATE UNIQUE INDEX plan_prices_current ON plan_prices (plan_id, billing_interval, currency) WHERE retired_at IS NULL;

-- What a payment provider knows of a price. A job creates it there, or retires it, until that is done.
CREATE TABLE plan_gateways (
    plan_price_id uuid NOT NULL REFERENCES plan_prices (id) ON DELETE CASCADE,
    provider text NOT NULL,
    status text NOT NULL CHECK (status IN ('PENDING', 'ACTIVE', 'FAILED', 'RETIRING', 'RETIRED')),
    external_id text,
    last_error text,
    attempts integer NOT NULL DEFAULT 0,
    -- When the provider is told next; null if it knows.
    attempt_at timestamptz,
    PRIMARY KEY (plan_price_id, provider),
    CHECK ((attempt_at IS NULL) = (status IN ('ACTIVE', 'RETIRED')))
);
CREATE INDEX plan_gateways_attempt_at ON plan_gateways (attempt_at) WHERE attempt_at IS NOT NULL;
