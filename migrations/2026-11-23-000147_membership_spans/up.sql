-- Who was a member of which plan, and when: as long as the membership gave access. For the statistics of live classes.
-- Its keys lock memberships and plans until this is committed, so it is filled by a later migration.
CREATE TABLE membership_spans (
    membership_id uuid NOT NULL REFERENCES memberships (id) ON DELETE CASCADE,
    starts_at timestamptz NOT NULL,
    plan_id uuid NOT NULL REFERENCES plans (id),
    -- Null for the present one.
    ends_at timestamptz CHECK (ends_at > starts_at),
    PRIMARY KEY (membership_id, starts_at)
);
CREATE UNIQUE INDEX membership_spans_open ON membership_spans (membership_id) WHERE ends_at IS NULL;
