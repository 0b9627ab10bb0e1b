-- How many extra hours of live classes members may buy for a month, null for none, and what one costs.
ALTER TABLE plans
    ADD COLUMN max_extra_hours smallint CHECK (max_extra_hours BETWEEN 1 AND 744),
    ADD CONSTRAINT plans_extra_hours_are_of_live_classes CHECK (kind = 'LIVE_CLASS' OR max_extra_hours IS NULL);
ALTER TABLE plan_prices ADD COLUMN extra_hour_minor bigint CHECK (extra_hour_minor > 0);

-- Extra hours of a member for a month: a row for each time that some were ordered.
CREATE TABLE extra_hours (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    minutes integer NOT NULL CHECK (minutes > 0),
    -- OPEN: ordered; VOID: not paid; REVOKED: refunded in full or charged back.
    state text NOT NULL CHECK (state IN ('OPEN', 'PAID', 'VOID', 'REVOKED')),
    created_at timestamptz NOT NULL
);
CREATE INDEX extra_hours_of_user ON extra_hours (user_id, month);

-- All kinds of items that this release knows; checked for old rows by the next migration.
ALTER TABLE order_items DROP CONSTRAINT order_items_kind_check;
ALTER TABLE order_items ADD CONSTRAINT order_items_kind_check
    CHECK (kind IN ('COURSE', 'MEMBERSHIP', 'GIFT', 'DONATION', 'EXTRA_HOURS')) NOT VALID;
ALTER TABLE order_items ADD COLUMN extra_hours_id uuid REFERENCES extra_hours (id);
CREATE UNIQUE INDEX order_items_extra_hours_id ON order_items (extra_hours_id) WHERE extra_hours_id IS NOT NULL;

-- What counts of them in a month.
ALTER TABLE live_usage ADD COLUMN extra_minutes integer NOT NULL DEFAULT 0 CHECK (extra_minutes >= 0);
ALTER TABLE live_usage DROP CONSTRAINT live_usage_is_not_overspent;
ALTER TABLE live_usage ADD CONSTRAINT live_usage_is_not_overspent
    CHECK (held_minutes + attended_minutes <= allowed_minutes + rolled_over_minutes + extra_minutes) NOT VALID;
