DROP INDEX live_attendances_released, live_attendances_settled_at;
ALTER TABLE live_usage DROP CONSTRAINT live_usage_is_not_overspent;
ALTER TABLE live_usage ADD CONSTRAINT live_usage_is_not_overspent
    CHECK (held_minutes + attended_minutes <= allowed_minutes + rolled_over_minutes + extra_minutes) NOT VALID;
ALTER TABLE order_items DROP CONSTRAINT order_items_kind_check;
ALTER TABLE order_items ADD CONSTRAINT order_items_kind_check
    CHECK (kind IN ('COURSE', 'MEMBERSHIP', 'GIFT', 'DONATION', 'EXTRA_HOURS')) NOT VALID;
