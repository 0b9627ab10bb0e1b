-- A page of the participants of a session, by when they got their place.
CREATE INDEX live_attendances_session_id ON live_attendances (session_id, since, id);
