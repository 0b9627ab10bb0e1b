-- How much demo content `lyceum seed` creates, and whether all of it is there: a seeding that was interrupted is
-- completed by the next one. At most one row.
CREATE TABLE seeding (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    plan jsonb NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz
);
