-- As with courses: a version counts edits, and an edit of another version than the last is refused.
ALTER TABLE categories ADD COLUMN version integer NOT NULL DEFAULT 1 CHECK (version >= 1);
ALTER TABLE channels ADD COLUMN version integer NOT NULL DEFAULT 1 CHECK (version >= 1);
