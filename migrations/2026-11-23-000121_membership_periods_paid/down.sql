DROP INDEX membership_periods_paid;
