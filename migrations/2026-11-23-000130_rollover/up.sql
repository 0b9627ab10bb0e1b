-- How much of what is left of a month's live classes counts in the next one; null for nothing.
ALTER TABLE plans
    ADD COLUMN rollover_minutes integer CHECK (rollover_minutes BETWEEN 1 AND 44640),
    ADD CONSTRAINT plans_rollover_is_of_live_classes CHECK (kind = 'LIVE_CLASS' OR rollover_minutes IS NULL);
