-- Before, only what was withdrawn had it.
UPDATE lessons SET first_published_at = NULL WHERE published_at IS NOT NULL;
ALTER TABLE channels DROP COLUMN version;
ALTER TABLE categories DROP COLUMN version;
