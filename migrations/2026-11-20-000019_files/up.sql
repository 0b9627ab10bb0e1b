-- What a file is uploaded for, and what it is said to hash to.
ALTER TABLE uploads
    ADD COLUMN purpose text NOT NULL DEFAULT 'VIDEO' CHECK (purpose IN ('VIDEO', 'IMAGE', 'FILE')),
    ADD COLUMN sha256 bytea CHECK (octet_length(sha256) = 32);

-- Pictures and other files that have arrived. Each has the id of its upload.
CREATE TABLE media_files (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users (id),
    purpose text NOT NULL CHECK (purpose IN ('IMAGE', 'FILE')),
    -- What the file was called where it came from, and what a download is called.
    filename text NOT NULL CHECK (char_length(filename) BETWEEN 1 AND 255),
    object_key text NOT NULL UNIQUE,
    -- Found out by the program where the type has a signature, otherwise the client's word.
    content_type text NOT NULL,
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    sha256 bytea CHECK (octet_length(sha256) = 32),
    created_at timestamptz NOT NULL,
    -- Since when nothing refers to it; null while something does. After the grace it is deleted.
    unused_since timestamptz,
    UNIQUE (id, object_key)
);
CREATE INDEX media_files_owner_id ON media_files (owner_id, created_at DESC, id DESC);
CREATE INDEX media_files_unused_since ON media_files (unused_since) WHERE unused_since IS NOT NULL;

-- The key was there before and nothing has ever written one. A catalog shows the picture without looking at its file,
-- so the key is kept with the course; it is always the one of the file.
UPDATE courses SET thumbnail_key = NULL WHERE thumbnail_key IS NOT NULL;
ALTER TABLE courses
    ADD COLUMN thumbnail_id uuid,
    ADD CONSTRAINT courses_thumbnail FOREIGN KEY (thumbnail_id, thumbnail_key)
        REFERENCES media_files (id, object_key) MATCH FULL;
CREATE INDEX courses_thumbnail_id ON courses (thumbnail_id) WHERE thumbnail_id IS NOT NULL;

-- What a lesson offers for download, in order: somewhere else, or a file.
CREATE TABLE lesson_resources (
    lesson_id uuid NOT NULL REFERENCES lessons (id) ON DELETE CASCADE,
    position integer NOT NULL CHECK (position > 0),
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 120),
    url text CHECK (char_length(url) BETWEEN 1 AND 2000),
    file_id uuid REFERENCES media_files (id),
    PRIMARY KEY (lesson_id, position),
    CHECK (num_nonnulls(url, file_id) = 1)
);
CREATE INDEX lesson_resources_file_id ON lesson_resources (file_id) WHERE file_id IS NOT NULL;
INSERT INTO lesson_resources (lesson_id, position, name, url)
    SELECT lessons.id, item.position, item.value ->> 'name', item.value ->> 'url'
    FROM lessons, jsonb_array_elements(lessons.resources) WITH ORDINALITY AS item (value, position);
-- The list as it was stays for as long as the version before may serve; nothing reads it from now on.
COMMENT ON COLUMN lessons.resources IS 'moved to lesson_resources; to be dropped by a later migration';
