-- Videos that have arrived: the original in the object store, and what was made of it.
CREATE TABLE videos (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users (id),
    -- What the file was called where it came from; only shown.
    filename text NOT NULL CHECK (char_length(filename) BETWEEN 1 AND 255),
    object_key text NOT NULL UNIQUE,
    -- Found out by the program, not the client's word.
    content_type text NOT NULL,
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    sha256 bytea CHECK (octet_length(sha256) = 32),
    status text NOT NULL CHECK (status IN ('UPLOADED', 'PROCESSING', 'READY', 'FAILED')),
    progress_percent integer NOT NULL DEFAULT 0 CHECK (progress_percent BETWEEN 0 AND 100),
    -- Why it failed, for its owner.
    failure text,
    -- Known once the video was looked at.
    duration_ms bigint CHECK (duration_ms > 0),
    width integer CHECK (width > 0),
    height integer CHECK (height > 0),
    poster_key text,
    -- The HLS multivariant playlist; null while only the original plays.
    playlist_key text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- When its objects are deleted, unless something refers to it again until then.
    delete_after timestamptz
);
CREATE INDEX videos_owner_id ON videos (owner_id, created_at DESC, id DESC);
CREATE INDEX videos_delete_after ON videos (delete_after) WHERE delete_after IS NOT NULL;

ALTER TABLE lessons ADD COLUMN video_id uuid REFERENCES videos (id);
ALTER TABLE courses ADD COLUMN demo_video_id uuid REFERENCES videos (id);
CREATE INDEX lessons_video_id ON lessons (video_id) WHERE video_id IS NOT NULL;
CREATE INDEX courses_demo_video_id ON courses (demo_video_id) WHERE demo_video_id IS NOT NULL;
