-- When the user of a session last entered the password or the second factor. Sessions from before have none.
ALTER TABLE sessions ADD COLUMN authenticated_at timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00+00';
