DROP TABLE sandbox_refunds, sandbox_checkouts, payments, order_items, orders;
DROP SEQUENCE order_numbers;
