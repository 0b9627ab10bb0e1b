UPDATE live_usage SET allowed_minutes = allowed_minutes + extra_minutes WHERE extra_minutes > 0;
ALTER TABLE live_usage DROP CONSTRAINT live_usage_is_not_overspent;
ALTER TABLE live_usage DROP COLUMN extra_minutes;
ALTER TABLE live_usage ADD CONSTRAINT live_usage_is_not_overspent
    CHECK (held_minutes + attended_minutes <= allowed_minutes + rolled_over_minutes);
DELETE FROM order_items WHERE kind = 'EXTRA_HOURS';
ALTER TABLE order_items DROP COLUMN extra_hours_id;
ALTER TABLE order_items DROP CONSTRAINT order_items_kind_check;
ALTER TABLE order_items ADD CONSTRAINT order_items_kind_check
    CHECK (kind IN ('COURSE', 'MEMBERSHIP', 'GIFT', 'DONATION'));
DROP TABLE extra_hours;
ALTER TABLE plan_prices DROP COLUMN extra_hour_minor;
ALTER TABLE plans DROP CONSTRAINT plans_extra_hours_are_of_live_classes, DROP COLUMN max_extra_hours;
