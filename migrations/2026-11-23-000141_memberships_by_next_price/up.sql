-- Who is to get a price at the next renewal, for when that price is replaced. Not CONCURRENTLY: see orders_by_total.
SELECT set_config('lock_timeout', '5s', true);
CREATE INDEX memberships_of_next_price ON memberships (next_price_id, id) WHERE next_price_id IS NOT NULL;
SELECT set_config('lock_timeout', '0', true);
