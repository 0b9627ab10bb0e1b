ALTER TABLE live_sessions DROP COLUMN had_places;
