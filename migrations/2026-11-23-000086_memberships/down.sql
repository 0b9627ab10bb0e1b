UPDATE entitlements SET end_reason = 'EXPIRED' WHERE end_reason = 'MEMBERSHIP_CHANGED';
ALTER TABLE entitlements DROP CONSTRAINT entitlements_end_reason_check;
ALTER TABLE entitlements ADD CONSTRAINT entitlements_end_reason_check
    CHECK (end_reason IN ('EXPIRED', 'REVOKED', 'REFUNDED', 'ACCOUNT_DELETED'));
DROP TABLE membership_periods, memberships;
