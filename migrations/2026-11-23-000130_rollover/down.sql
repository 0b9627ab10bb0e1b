ALTER TABLE plans DROP COLUMN rollover_minutes;
