ALTER TABLE users DROP COLUMN role_since;
