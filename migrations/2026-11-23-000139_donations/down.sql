DROP TABLE donation_orders, donations;
