ALTER TABLE uploads DROP CONSTRAINT uploads_status_check;
UPDATE uploads SET status = 'CANCELLED' WHERE status = 'CANCELED';
ALTER TABLE uploads ADD CONSTRAINT uploads_status_check
    CHECK (status IN ('CREATED', 'UPLOADING', 'COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED'));
