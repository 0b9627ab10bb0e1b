DROP INDEX refunds_check_at;
ALTER TABLE refunds DROP COLUMN check_at;
DROP INDEX disputes_check_at;
ALTER TABLE disputes DROP COLUMN check_at;
DROP INDEX disputes_reversal_id;
ALTER TABLE disputes DROP COLUMN reversal_id;
UPDATE orders SET expires_at = now() + interval '1 day' WHERE status = 'PENDING' AND expires_at IS NULL;
ALTER TABLE orders DROP CONSTRAINT orders_check2,
    ADD CONSTRAINT orders_check2 CHECK ((expires_at IS NOT NULL) = (status = 'PENDING'));
