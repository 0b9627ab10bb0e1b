-- Who was a member of which plan, and when: as long as the membership gave access. For the statistics of live classes.
CREATE TABLE membership_spans (
    membership_id uuid NOT NULL REFERENCES memberships (id) ON DELETE CASCADE,
    starts_at timestamptz NOT NULL,
    plan_id uuid NOT NULL REFERENCES plans (id),
    -- Null for the present one.
    ends_at timestamptz CHECK (ends_at > starts_at),
    PRIMARY KEY (membership_id, starts_at)
);
CREATE UNIQUE INDEX membership_spans_open ON membership_spans (membership_id) WHERE ends_at IS NULL;
CREATE INDEX membership_spans_starts_at ON membership_spans (starts_at);
CREATE INDEX membership_spans_ends_at ON membership_spans (ends_at);
-- Periods end when they would have ended: nothing looks for them by that anymore.
DROP INDEX membership_periods_paid;
-- What is known of the time until now: the present plans, and those before by their periods.
INSERT INTO membership_spans (membership_id, starts_at, plan_id, ends_at)
    SELECT id, plan_since, plan_id, least(ended_at, paused_at) FROM memberships
    WHERE started_at IS NOT NULL AND (least(ended_at, paused_at) > plan_since
        OR (plan_since IS NOT NULL AND ended_at IS NULL AND paused_at IS NULL));
INSERT INTO membership_spans (membership_id, starts_at, plan_id, ends_at)
    SELECT membership_id, starts_at, plan_id, ends_at FROM (
        SELECT membership_id, starts_at, plan_prices.plan_id,
            least(ends_at, plan_since, ended_at, lead(starts_at) OVER (PARTITION BY membership_id ORDER BY number))
                AS ends_at
        FROM membership_periods JOIN memberships ON memberships.id = membership_id
            JOIN plan_prices ON plan_prices.id = membership_periods.plan_price_id
        WHERE state = 'PAID') AS earlier
    WHERE ends_at > starts_at
    ON CONFLICT DO NOTHING;
