-- The subjects that courses are sorted into: a tree.
CREATE TABLE categories (
    id uuid PRIMARY KEY,
    parent_id uuid REFERENCES categories (id),
    slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND char_length(slug) <= 80),
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 80),
    position integer NOT NULL CHECK (position >= 1),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (parent_id <> id)
);
CREATE INDEX categories_parent_id ON categories (parent_id, position);

-- Where courses come from: one or more people who teach under a name.
CREATE TABLE channels (
    id uuid PRIMARY KEY,
    slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND char_length(slug) <= 80),
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 5000),
    -- Kept in the row, as with courses.
    follower_count integer NOT NULL DEFAULT 0 CHECK (follower_count >= 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- A version counts edits: an edit of another version than the last is refused. Prices are in minor units of the currency.
-- All defaults are constants, so that the table is not rewritten.
ALTER TABLE courses
    ADD COLUMN version integer NOT NULL DEFAULT 1 CHECK (version >= 1),
    ADD COLUMN category_id uuid REFERENCES categories (id),
    ADD COLUMN channel_id uuid REFERENCES channels (id),
    ADD COLUMN level text CHECK (level IN ('BEGINNER', 'INTERMEDIATE', 'ADVANCED')),
    ADD COLUMN language text CHECK (char_length(language) BETWEEN 2 AND 35),
    ADD COLUMN tags text[] NOT NULL DEFAULT '{}',
    ADD COLUMN benefits text[] NOT NULL DEFAULT '{}',
    ADD COLUMN prerequisites text[] NOT NULL DEFAULT '{}',
    ADD COLUMN thumbnail_key text,
    ADD COLUMN price_minor bigint NOT NULL DEFAULT 0 CHECK (price_minor >= 0),
    ADD COLUMN estimated_price_minor bigint CHECK (estimated_price_minor >= 0),
    ADD COLUMN currency text NOT NULL DEFAULT 'USD' CHECK (currency ~ '^[A-Z]{3}$'),
    -- Hundredths of a star; kept in the row, as the counts, by whoever changes them.
    ADD COLUMN rating_hundredths integer NOT NULL DEFAULT 0 CHECK (rating_hundredths BETWEEN 0 AND 500),
    ADD COLUMN rating_count integer NOT NULL DEFAULT 0 CHECK (rating_count >= 0),
    ADD COLUMN student_count integer NOT NULL DEFAULT 0 CHECK (student_count >= 0),
    -- When a draft publishes itself.
    ADD COLUMN publish_at timestamptz,
    ADD COLUMN archived_at timestamptz;
CREATE INDEX courses_category_id ON courses (category_id) WHERE category_id IS NOT NULL;
CREATE INDEX courses_channel_id ON courses (channel_id, published_at DESC, id DESC) WHERE channel_id IS NOT NULL;
CREATE INDEX courses_publish_at ON courses (publish_at) WHERE publish_at IS NOT NULL;

ALTER TABLE lessons
    ADD COLUMN version integer NOT NULL DEFAULT 1 CHECK (version >= 1),
    -- Everybody may watch it once the course is published.
    ADD COLUMN is_preview boolean NOT NULL DEFAULT false,
    ADD COLUMN publish_at timestamptz;
CREATE INDEX lessons_publish_at ON lessons (publish_at) WHERE publish_at IS NOT NULL;
ALTER TABLE sections ADD COLUMN version integer NOT NULL DEFAULT 1 CHECK (version >= 1);
