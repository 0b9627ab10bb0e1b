-- Whether a user has ever had a place in a session: its attendances are deleted when they are old, and it stays.
ALTER TABLE live_sessions ADD COLUMN had_places boolean NOT NULL DEFAULT false;
UPDATE live_sessions SET had_places = true
    WHERE settled_at IS NOT NULL OR id IN (SELECT session_id FROM live_attendances);
