DROP TABLE play_purchases, play_products;
ALTER TABLE memberships DROP COLUMN is_play;
