DROP TABLE identity_attempts;
DROP TABLE identities;
ALTER TABLE users DROP COLUMN email_verified_at;
