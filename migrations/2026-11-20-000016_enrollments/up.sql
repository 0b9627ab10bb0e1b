-- Who has access to which course, and why: a ledger. Rows are ended, never deleted, and each source has rows of its own, so
-- that the end of one leaves the others alone.
CREATE TABLE entitlements (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    -- Null once the course is gone, which it cannot be while somebody has access to it.
    course_id uuid REFERENCES courses (id) ON DELETE SET NULL,
    source text NOT NULL CHECK (source IN ('PURCHASE', 'MEMBERSHIP', 'GIFT', 'GRANT', 'FREE', 'STAFF')),
    starts_at timestamptz NOT NULL,
    expires_at timestamptz CHECK (expires_at > starts_at),
    ended_at timestamptz,
    end_reason text CHECK (end_reason IN ('EXPIRED', 'REVOKED', 'REFUNDED', 'ACCOUNT_DELETED')),
    -- Why an administrator gave it, in their words.
    note text NOT NULL DEFAULT '' CHECK (char_length(note) <= 500),
    granted_by uuid REFERENCES users (id),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    CHECK (course_id IS NOT NULL OR ended_at IS NOT NULL)
);
-- What is given for nothing is given once; of what is paid for, somebody may have several.
CREATE UNIQUE INDEX entitlements_given_once ON entitlements (user_id, course_id, source)
    WHERE ended_at IS NULL AND source IN ('GRANT', 'FREE', 'STAFF');
CREATE INDEX entitlements_user_id ON entitlements (user_id, course_id);
CREATE INDEX entitlements_course_id ON entitlements (course_id, starts_at DESC, id DESC);
CREATE INDEX entitlements_expires_at ON entitlements (expires_at) WHERE ended_at IS NULL AND expires_at IS NOT NULL;
CREATE INDEX entitlements_granted_by ON entitlements (granted_by) WHERE granted_by IS NOT NULL;

-- When what has been withdrawn since was published first: publishing it again is no news. Null for what was not withdrawn.
ALTER TABLE courses ADD COLUMN first_published_at timestamptz;
-- When a lesson opens for somebody who has access: so many days of 24 hours after that began, or at an instant.
ALTER TABLE lessons
    ADD COLUMN first_published_at timestamptz,
    ADD COLUMN unlock_after_days integer CHECK (unlock_after_days BETWEEN 1 AND 3650),
    ADD COLUMN unlock_at timestamptz,
    ADD CONSTRAINT lessons_unlock_check CHECK (unlock_after_days IS NULL OR unlock_at IS NULL);
