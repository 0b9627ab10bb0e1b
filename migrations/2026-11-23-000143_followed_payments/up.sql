-- While a provider processes a payment, such as a bank debit, the order is pending and does not expire. An earlier
-- version makes no such orders, and neither reminds of nor expires them. A constraint that is wider needs no scan.
ALTER TABLE orders DROP CONSTRAINT orders_check2,
    ADD CONSTRAINT orders_check2 CHECK (expires_at IS NULL OR status = 'PENDING') NOT VALID;
-- PayPal tells of the money that a case has taken back (a reversal) apart from the dispute that the case is. It is
-- booked once: this is the provider's id of the reversal. Until the dispute is known, the reversal stands for it.
ALTER TABLE disputes ADD COLUMN reversal_id text;
CREATE UNIQUE INDEX disputes_reversal_id ON disputes (order_id, reversal_id) WHERE reversal_id IS NOT NULL;
-- When the provider is asked how a dispute was decided, for a webhook that is lost; null when that is known.
ALTER TABLE disputes ADD COLUMN check_at timestamptz;
CREATE INDEX disputes_check_at ON disputes (check_at, id) WHERE check_at IS NOT NULL;
UPDATE disputes SET check_at = now() WHERE status = 'OPEN';
-- The same for a refund that the provider has accepted: it may still be on its way, and come back.
ALTER TABLE refunds ADD COLUMN check_at timestamptz;
CREATE INDEX refunds_check_at ON refunds (check_at, id) WHERE check_at IS NOT NULL;
