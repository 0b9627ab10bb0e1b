ALTER TABLE order_items DROP COLUMN discount_minor, DROP COLUMN tax_minor;
ALTER TABLE orders DROP COLUMN coupon_id, DROP COLUMN discount_minor, DROP COLUMN tax_minor, DROP COLUMN tax_included;
DROP TABLE coupon_categories, coupon_courses, coupons;
