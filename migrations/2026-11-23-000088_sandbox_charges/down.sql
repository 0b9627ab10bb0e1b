ALTER TABLE sandbox_checkouts DROP COLUMN declines, DROP COLUMN authorization_id;
