ALTER TABLE payments DROP COLUMN authorization_id;
ALTER TABLE order_items DROP COLUMN membership_period_id, DROP COLUMN membership_id;
DELETE FROM orders USING order_items WHERE order_id = orders.id AND kind <> 'COURSE';
ALTER TABLE order_items DROP CONSTRAINT order_items_kind_check;
ALTER TABLE order_items ADD CONSTRAINT order_items_kind_check CHECK (kind IN ('COURSE'));
