-- Since when a category is archived: it is not offered anymore. Its courses stay.
ALTER TABLE categories ADD COLUMN archived_at timestamptz;
