DROP INDEX memberships_entitlement_id;
DROP TABLE tax_reversals, order_taxes;
