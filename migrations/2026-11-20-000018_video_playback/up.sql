-- Subtitles of videos in WebVTT, one per language; the text is in the object store.
CREATE TABLE video_captions (
    video_id uuid NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
    language text NOT NULL CHECK (char_length(language) BETWEEN 2 AND 35),
    label text NOT NULL CHECK (char_length(label) BETWEEN 1 AND 60),
    object_key text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (video_id, language)
);

-- Who is watching, by session, while the number of players is limited. Nothing else is known of it.
CREATE TABLE players (
    session_id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    seen_at timestamptz NOT NULL
);
CREATE INDEX players_user_id ON players (user_id);
