-- Whom an invoice is for, and the rate of the tax in hundredths of a percent: null if there was none.
ALTER TABLE orders
    ADD COLUMN billing_name text CHECK (char_length(billing_name) <= 200),
    ADD COLUMN billing_address text CHECK (char_length(billing_address) <= 500),
    ADD COLUMN billing_tax_id text CHECK (char_length(billing_tax_id) <= 50),
    ADD COLUMN tax_rate integer CHECK (tax_rate BETWEEN 0 AND 10000);

-- The last number of each series of invoices. A number is taken under the lock of this row, in the transaction that writes
-- the invoice, so a series has no gaps.
CREATE TABLE invoice_series (
    prefix text PRIMARY KEY CHECK (char_length(prefix) <= 20),
    last_number bigint NOT NULL CHECK (last_number >= 0)
);

-- Invoices, and credit notes for refunds. What one says never changes.
CREATE TABLE invoices (
    id uuid PRIMARY KEY,
    series text NOT NULL REFERENCES invoice_series (prefix),
    number bigint NOT NULL CHECK (number > 0),
    order_id uuid NOT NULL REFERENCES orders (id),
    -- Of a credit note.
    refund_id uuid UNIQUE REFERENCES refunds (id),
    issued_at timestamptz NOT NULL,
    content jsonb NOT NULL,
    UNIQUE (series, number)
);
CREATE UNIQUE INDEX invoices_one_for_an_order ON invoices (order_id) WHERE refund_id IS NULL;
CREATE INDEX invoices_order_id ON invoices (order_id);
