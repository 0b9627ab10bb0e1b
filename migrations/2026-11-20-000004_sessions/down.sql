DROP TABLE audit_entries;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP INDEX users_tokens_changed_at;
ALTER TABLE users DROP CONSTRAINT users_ban_check;
ALTER TABLE users DROP COLUMN ban_reason;
ALTER TABLE users DROP COLUMN banned_until;
ALTER TABLE users DROP COLUMN banned_at;
ALTER TABLE users DROP COLUMN tokens_changed_at;
ALTER TABLE users DROP COLUMN token_version;
-- The old version of the program knows nobody without a password; this one is nobody's.
UPDATE users SET password_hash = '!' WHERE password_hash IS NULL;
ALTER TABLE users ALTER COLUMN password_hash SET NOT NULL;
