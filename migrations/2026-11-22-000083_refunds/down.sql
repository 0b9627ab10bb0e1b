DROP TABLE disputes, refund_items, refunds;
