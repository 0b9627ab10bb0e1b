-- What a review has besides its post.
CREATE TABLE reviews (
    post_id uuid PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
    -- As in the post, for the indexes.
    course_id uuid NOT NULL,
    author_id uuid NOT NULL,
    stars smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
    -- Whether everybody sees the post: a copy that is written in the transaction that hides or shows it.
    is_shown boolean NOT NULL,
    -- Whether the author's access to the course was refunded. The stars count if this is false and the review is shown.
    is_refunded boolean NOT NULL,
    -- What lists are sorted by: a copy of the number of votes, which a job makes a second after it has changed.
    votes integer NOT NULL DEFAULT 0,
    UNIQUE (course_id, author_id)
);
-- The ids sort by time.
CREATE INDEX reviews_newest ON reviews (course_id, post_id);
CREATE INDEX reviews_voted ON reviews (course_id, votes, post_id);
CREATE INDEX reviews_stars_newest ON reviews (course_id, stars, post_id);
CREATE INDEX reviews_stars_voted ON reviews (course_id, stars, votes, post_id);
CREATE INDEX reviews_author ON reviews (author_id, post_id);
