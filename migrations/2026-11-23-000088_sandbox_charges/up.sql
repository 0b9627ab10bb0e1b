ALTER TABLE order_items VALIDATE CONSTRAINT order_items_kind_check;
ALTER TABLE entitlements VALIDATE CONSTRAINT entitlements_end_reason_check;
-- The sandbox charges what was paid once again: without a page, unless it declines.
ALTER TABLE sandbox_checkouts
    ADD COLUMN authorization_id uuid REFERENCES sandbox_checkouts (id) ON DELETE SET NULL,
    ADD COLUMN declines boolean NOT NULL DEFAULT false;
CREATE INDEX sandbox_checkouts_authorization_id ON sandbox_checkouts (authorization_id)
    WHERE authorization_id IS NOT NULL;
