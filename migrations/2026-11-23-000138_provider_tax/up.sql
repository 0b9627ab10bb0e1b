-- Orders whose tax a provider has calculated.
CREATE TABLE order_taxes (
    order_id uuid PRIMARY KEY REFERENCES orders (id) ON DELETE CASCADE,
    -- The provider's id of what it has calculated.
    calculation_id text NOT NULL,
    -- The provider's id of the record that the tax was collected; null until it has one.
    transaction_id text
);

-- Refunds whose part of the tax the provider has recorded as given back.
CREATE TABLE tax_reversals (
    refund_id uuid PRIMARY KEY REFERENCES refunds (id) ON DELETE CASCADE,
    -- The provider's id.
    reversal_id text NOT NULL,
    -- The provider's id of the record that this was undone, because the refund has failed.
    undone_id text
);

-- For the membership that an access is a part of.
CREATE INDEX memberships_entitlement_id ON memberships (entitlement_id) WHERE entitlement_id IS NOT NULL;
