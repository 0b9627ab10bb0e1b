DROP TABLE gifts;
DELETE FROM order_items WHERE kind IN ('GIFT', 'DONATION');
DROP INDEX order_items_bought_once;
CREATE UNIQUE INDEX order_items_bought_once ON order_items (buyer_id, course_id) WHERE is_live;
