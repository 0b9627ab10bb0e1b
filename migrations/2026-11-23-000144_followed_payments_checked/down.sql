ALTER TABLE orders DROP CONSTRAINT orders_check2,
    ADD CONSTRAINT orders_check2 CHECK (expires_at IS NULL OR status = 'PENDING') NOT VALID;
