-- Every slug that a channel or a category has or had, as for courses: an earlier slug leads to it, and no other can
-- take it. A slug is taken here before its row is written, hence the deferred checks.
CREATE TABLE channel_slugs (
    slug text PRIMARY KEY CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND char_length(slug) <= 80),
    channel_id uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    taken_at timestamptz NOT NULL
);
CREATE INDEX channel_slugs_channel_id ON channel_slugs (channel_id);
INSERT INTO channel_slugs (slug, channel_id, taken_at) SELECT slug, id, created_at FROM channels;

CREATE TABLE category_slugs (
    slug text PRIMARY KEY CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND char_length(slug) <= 80),
    category_id uuid NOT NULL REFERENCES categories (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    taken_at timestamptz NOT NULL
);
CREATE INDEX category_slugs_category_id ON category_slugs (category_id);
INSERT INTO category_slugs (slug, category_id, taken_at) SELECT slug, id, created_at FROM categories;
