-- Periods end when they would have ended: nothing looks for them by that anymore. A migration of its own, as nobody can
-- read periods until it is committed.
DROP INDEX membership_periods_paid;
