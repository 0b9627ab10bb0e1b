-- Every slug that a course has or had: an old one leads to the course, and nobody else can take it. A slug is taken here
-- before its course is written, hence the deferred check.
CREATE TABLE course_slugs (
    slug text PRIMARY KEY CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND char_length(slug) <= 80),
    course_id uuid NOT NULL REFERENCES courses (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    taken_at timestamptz NOT NULL
);
CREATE INDEX course_slugs_course_id ON course_slugs (course_id);
INSERT INTO course_slugs (slug, course_id, taken_at) SELECT slug, id, created_at FROM courses;

-- What a video comes with. Lists are shown as a whole and never searched: [{"atSeconds": 90, "label": "…"}],
-- [{"url": "…", "label": "…"}].
ALTER TABLE lessons
    ADD COLUMN disclaimer text NOT NULL DEFAULT '' CHECK (char_length(disclaimer) <= 2000),
    ADD COLUMN description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 20000),
    ADD COLUMN timestamps jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN links jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN resources jsonb NOT NULL DEFAULT '[]';

-- Nothing has made channels yet, so that a column without a default is possible.
ALTER TABLE channels
    ADD COLUMN owner_id uuid NOT NULL REFERENCES users (id),
    -- The one that its owner's courses are from when they name none.
    ADD COLUMN is_default boolean NOT NULL;
CREATE UNIQUE INDEX channels_default ON channels (owner_id) WHERE is_default;

-- Who teaches in a channel; its owner among them.
CREATE TABLE channel_members (
    channel_id uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id),
    joined_at timestamptz NOT NULL,
    PRIMARY KEY (channel_id, user_id)
);
CREATE INDEX channel_members_user_id ON channel_members (user_id, joined_at DESC, channel_id DESC);

CREATE TABLE channel_follows (
    user_id uuid NOT NULL REFERENCES users (id),
    channel_id uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    followed_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, channel_id)
);
CREATE INDEX channel_follows_user_id ON channel_follows (user_id, followed_at DESC, channel_id DESC);
CREATE INDEX channel_follows_channel_id ON channel_follows (channel_id);
