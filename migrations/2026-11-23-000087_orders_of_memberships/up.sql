-- All kinds of items that this release knows; checked for old rows by the next migration.
ALTER TABLE order_items DROP CONSTRAINT order_items_kind_check;
ALTER TABLE order_items ADD CONSTRAINT order_items_kind_check
    CHECK (kind IN ('COURSE', 'MEMBERSHIP', 'GIFT', 'DONATION')) NOT VALID;
ALTER TABLE order_items
    ADD COLUMN membership_id uuid REFERENCES memberships (id),
    -- The period that is paid for: an order each time that it is tried.
    ADD COLUMN membership_period_id uuid REFERENCES membership_periods (id);
CREATE UNIQUE INDEX order_items_membership_period_id ON order_items (membership_period_id)
    WHERE membership_period_id IS NOT NULL;
CREATE INDEX order_items_membership_id ON order_items (membership_id) WHERE membership_id IS NOT NULL;
-- What is charged without a checkout: an earlier one of the member, which was paid.
ALTER TABLE payments ADD COLUMN authorization_id text;
