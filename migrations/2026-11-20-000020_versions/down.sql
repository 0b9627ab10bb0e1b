ALTER TABLE channels DROP COLUMN version;
ALTER TABLE categories DROP COLUMN version;
