DROP TABLE invoices;
DROP TABLE invoice_series;
ALTER TABLE orders
    DROP COLUMN billing_name,
    DROP COLUMN billing_address,
    DROP COLUMN billing_tax_id,
    DROP COLUMN tax_rate;
