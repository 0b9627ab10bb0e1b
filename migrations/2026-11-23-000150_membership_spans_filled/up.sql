-- What is known of the time until now: the present plans, and those before by their periods. Nothing waits for this: it
-- reads memberships and periods, and keeps no membership from being written. What is written meanwhile, is mended by
-- the job memberships.mend_spans.
INSERT INTO membership_spans (membership_id, starts_at, plan_id, ends_at)
    SELECT id, plan_since, plan_id, least(ended_at, paused_at) FROM memberships
    WHERE started_at IS NOT NULL AND (least(ended_at, paused_at) > plan_since
        OR (plan_since IS NOT NULL AND ended_at IS NULL AND paused_at IS NULL))
    ON CONFLICT DO NOTHING;
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
-- Last, as they are made faster of what is there.
CREATE INDEX membership_spans_starts_at ON membership_spans (starts_at);
CREATE INDEX membership_spans_ends_at ON membership_spans (ends_at);
