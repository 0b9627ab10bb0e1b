-- A coupon for plans only would be one for everything without them.
UPDATE coupons SET archived_at = now() WHERE archived_at IS NULL AND id IN (SELECT coupon_id FROM coupon_plans);
DROP TABLE coupon_plans;
