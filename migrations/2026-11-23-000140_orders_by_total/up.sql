-- The list of orders by total, and the channels of an owner, for what they have earned. Not CONCURRENTLY: that waits
-- for the statements of the other nodes, one of which may be waiting for this migration.
SELECT set_config('lock_timeout', '5s', true);
CREATE INDEX orders_by_total ON orders (currency, total_minor, id);
CREATE INDEX channels_owner_id ON channels (owner_id);
SELECT set_config('lock_timeout', '0', true);
