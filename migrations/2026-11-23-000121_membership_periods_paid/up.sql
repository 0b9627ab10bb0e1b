-- Who was a member when: for the statistics of live classes.
CREATE INDEX membership_periods_paid ON membership_periods (ends_at, starts_at) WHERE state = 'PAID';
