ALTER TABLE sandbox_checkouts DROP COLUMN declines, DROP COLUMN authorization_id;
ALTER TABLE entitlements DROP CONSTRAINT entitlements_end_reason_check;
ALTER TABLE entitlements ADD CONSTRAINT entitlements_end_reason_check
    CHECK (end_reason IN ('EXPIRED', 'REVOKED', 'REFUNDED', 'ACCOUNT_DELETED', 'MEMBERSHIP_CHANGED')) NOT VALID;
ALTER TABLE order_items DROP CONSTRAINT order_items_kind_check;
ALTER TABLE order_items ADD CONSTRAINT order_items_kind_check
    CHECK (kind IN ('COURSE', 'MEMBERSHIP', 'GIFT', 'DONATION')) NOT VALID;
