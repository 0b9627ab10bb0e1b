-- American spelling, as elsewhere.
ALTER TABLE uploads DROP CONSTRAINT uploads_status_check;
UPDATE uploads SET status = 'CANCELED' WHERE status = 'CANCELLED';
ALTER TABLE uploads ADD CONSTRAINT uploads_status_check
    CHECK (status IN ('CREATED', 'UPLOADING', 'COMPLETED', 'FAILED', 'CANCELED', 'EXPIRED'));
