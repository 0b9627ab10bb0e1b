ALTER TABLE order_items VALIDATE CONSTRAINT order_items_kind_check;
ALTER TABLE live_usage VALIDATE CONSTRAINT live_usage_is_not_overspent;
-- What is deleted when it is old, if the school wants that.
CREATE INDEX live_attendances_settled_at ON live_attendances (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX live_attendances_released ON live_attendances (since) WHERE status = 'RELEASED';
