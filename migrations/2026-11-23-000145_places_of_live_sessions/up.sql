-- Whether a user has ever had a place in a session: its attendances are deleted when they are old, and it stays. Null of
-- one that is older than this column, and not filled: as long as there are attendances, they say it.
ALTER TABLE live_sessions ADD COLUMN had_places boolean;
ALTER TABLE live_sessions ALTER COLUMN had_places SET DEFAULT false;
