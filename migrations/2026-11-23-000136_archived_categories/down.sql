ALTER TABLE categories DROP COLUMN archived_at;
