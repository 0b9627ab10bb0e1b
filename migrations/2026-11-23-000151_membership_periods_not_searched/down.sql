CREATE INDEX membership_periods_paid ON membership_periods (ends_at, starts_at) WHERE state = 'PAID';
