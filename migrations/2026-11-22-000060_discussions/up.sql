-- Everything that people write below a lesson or a course and answer each other: questions, replies and, in a later
-- feature, reviews.
CREATE TABLE posts (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('QUESTION', 'REPLY', 'REVIEW')),
    course_id uuid NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    -- Null: it is about the course as a whole.
    lesson_id uuid REFERENCES lessons (id) ON DELETE CASCADE,
    -- What a reply answers. Always of the same course and lesson.
    parent_id uuid REFERENCES posts (id) ON DELETE CASCADE,
    author_id uuid NOT NULL REFERENCES users (id),
    body text NOT NULL CHECK (char_length(body) <= 10000),
    version integer NOT NULL DEFAULT 1,
    -- Whether the author was in the course's team when they wrote it.
    is_by_team boolean NOT NULL,
    created_at timestamptz NOT NULL,
    edited_at timestamptz,
    -- A tombstone: it was deleted, and has replies.
    deleted_at timestamptz,
    hidden_at timestamptz,
    hidden_reason text CHECK (hidden_reason IN ('LINK', 'BLOCKED_WORD', 'MODERATOR')),
    CHECK ((kind = 'REPLY') = (parent_id IS NOT NULL)),
    CHECK ((hidden_at IS NULL) = (hidden_reason IS NULL)),
    CHECK (deleted_at IS NULL OR body = '')
);
CREATE INDEX posts_parent ON posts (parent_id, id) WHERE parent_id IS NOT NULL;
-- What a user wrote in a course lately, and everything that they wrote.
CREATE INDEX posts_author ON posts (author_id, course_id, id);
-- For the deletion of a course or a lesson.
CREATE INDEX posts_course ON posts (course_id);
CREATE INDEX posts_lesson ON posts (lesson_id) WHERE lesson_id IS NOT NULL;

-- Counts, written last in a transaction, so that many can reply and vote at once. No index, so that updates are HOT.
CREATE TABLE post_stats (
    post_id uuid PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
    vote_count integer NOT NULL DEFAULT 0 CHECK (vote_count >= 0),
    -- The replies that everybody sees.
    reply_count integer NOT NULL DEFAULT 0 CHECK (reply_count >= 0),
    -- When it was written, or its last reply.
    active_at timestamptz NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE questions (
    post_id uuid PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
    -- As in the post, for the indexes.
    course_id uuid NOT NULL,
    lesson_id uuid NOT NULL,
    author_id uuid NOT NULL,
    title text NOT NULL CHECK (char_length(title) <= 150),
    at_seconds integer CHECK (at_seconds >= 0),
    is_pinned boolean NOT NULL DEFAULT false,
    is_locked boolean NOT NULL DEFAULT false,
    resolved_at timestamptz,
    -- Without a foreign key: what deletes a reply, empties this under the lock of the question.
    accepted_reply_id uuid,
    -- What lists are sorted by: copies of the counts, which a job makes a second after they have changed.
    votes integer NOT NULL DEFAULT 0,
    is_answered boolean NOT NULL DEFAULT false,
    active_at timestamptz NOT NULL
);
-- Pinned questions come first in every order. The ids sort by time.
CREATE INDEX questions_lesson_newest ON questions (lesson_id, is_pinned, post_id);
CREATE INDEX questions_lesson_voted ON questions (lesson_id, is_pinned, votes, post_id);
CREATE INDEX questions_lesson_active ON questions (lesson_id, is_pinned, active_at, post_id);
CREATE INDEX questions_course_newest ON questions (course_id, is_pinned, post_id);
CREATE INDEX questions_course_voted ON questions (course_id, is_pinned, votes, post_id);
CREATE INDEX questions_course_active ON questions (course_id, is_pinned, active_at, post_id);
-- Of those that wait for something there are few; they are sorted when they are read.
CREATE INDEX questions_unanswered ON questions (course_id, is_pinned, post_id) WHERE NOT is_answered;
CREATE INDEX questions_unresolved ON questions (course_id, is_pinned, post_id) WHERE resolved_at IS NULL;
CREATE INDEX questions_author ON questions (author_id, course_id, post_id);

-- What is searched: the words of a question or a reply that everybody sees, and the id of its course as a word, so that
-- the index finds those of one course.
CREATE TABLE post_texts (
    post_id uuid PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
    -- The question.
    thread_id uuid NOT NULL,
    words tsvector NOT NULL
);
CREATE INDEX post_texts_words ON post_texts USING gin (words);

-- Earlier versions, the last fifty of each post.
CREATE TABLE post_edits (
    post_id uuid NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    version integer NOT NULL,
    -- Of a question.
    title text,
    body text NOT NULL,
    -- When it was replaced.
    edited_at timestamptz NOT NULL,
    PRIMARY KEY (post_id, version)
);

CREATE TABLE post_votes (
    post_id uuid NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id),
    voted_at timestamptz NOT NULL,
    PRIMARY KEY (post_id, user_id)
);
CREATE INDEX post_votes_user ON post_votes (user_id, voted_at);

CREATE TABLE question_follows (
    question_id uuid NOT NULL REFERENCES questions (post_id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id),
    followed_at timestamptz NOT NULL,
    PRIMARY KEY (question_id, user_id)
);
CREATE INDEX question_follows_user ON question_follows (user_id, question_id);

CREATE TABLE post_reports (
    id uuid PRIMARY KEY,
    course_id uuid NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    -- Null once the post is deleted.
    post_id uuid REFERENCES posts (id) ON DELETE SET NULL,
    -- Null: the post was held automatically, or the account is deleted.
    reporter_id uuid REFERENCES users (id),
    reason text NOT NULL CHECK (char_length(reason) <= 500),
    created_at timestamptz NOT NULL,
    resolved_at timestamptz,
    resolution text CHECK (resolution IN ('DISMISSED', 'HIDDEN', 'RESTORED', 'REMOVED', 'DELETED')),
    UNIQUE (post_id, reporter_id),
    CHECK ((resolved_at IS NULL) = (resolution IS NULL))
);
CREATE INDEX post_reports_open ON post_reports (id) WHERE resolved_at IS NULL;
CREATE INDEX post_reports_course_open ON post_reports (course_id, id) WHERE resolved_at IS NULL;
CREATE INDEX post_reports_course ON post_reports (course_id, id);
CREATE INDEX post_reports_reporter ON post_reports (reporter_id, id) WHERE reporter_id IS NOT NULL;
