DROP INDEX channels_owner_id;
DROP INDEX orders_by_total;
