-- How many users beside the member share the hours of a plan; null for none. And what each of them can use a month at
-- most; null for no limit of their own.
ALTER TABLE plans
    ADD COLUMN family_size integer CHECK (family_size BETWEEN 1 AND 10),
    ADD COLUMN family_member_minutes integer CHECK (family_member_minutes BETWEEN 1 AND 44640),
    ADD CONSTRAINT plans_family_is_of_live_classes CHECK (kind = 'LIVE_CLASS' OR family_size IS NULL),
    ADD CONSTRAINT plans_family_has_members CHECK (family_size IS NOT NULL OR family_member_minutes IS NULL);

-- Who shares the hours of another user's membership: each user those of one.
CREATE TABLE family_members (
    user_id uuid PRIMARY KEY REFERENCES users (id),
    membership_id uuid NOT NULL REFERENCES memberships (id) ON DELETE CASCADE,
    joined_at timestamptz NOT NULL
);
CREATE INDEX family_members_membership_id ON family_members (membership_id, joined_at, user_id);

-- Who is invited to do so. One that was revoked stays until it would have ended, so that mails can be counted.
CREATE TABLE family_invitations (
    id uuid PRIMARY KEY,
    membership_id uuid NOT NULL REFERENCES memberships (id) ON DELETE CASCADE,
    email text NOT NULL CHECK (email = lower(email) AND char_length(email) BETWEEN 3 AND 254),
    sent_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    UNIQUE (membership_id, email)
);
CREATE INDEX family_invitations_expires_at ON family_invitations (expires_at);

-- Whose hours pay for a seat; null for the user's own.
ALTER TABLE live_attendances ADD COLUMN payer_id uuid REFERENCES users (id);

-- What a family member has of the hours of the family in a month: a part of the payer's row in live_usage, under the
-- lock of that.
CREATE TABLE live_family_usage (
    user_id uuid NOT NULL REFERENCES users (id),
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    payer_id uuid NOT NULL REFERENCES users (id),
    -- What the member can use at most; null for no limit of their own.
    allowed_minutes integer CHECK (allowed_minutes >= 0),
    held_minutes integer NOT NULL DEFAULT 0 CHECK (held_minutes >= 0),
    attended_minutes integer NOT NULL DEFAULT 0 CHECK (attended_minutes >= 0),
    sessions_attended integer NOT NULL DEFAULT 0 CHECK (sessions_attended >= 0),
    sessions_missed integer NOT NULL DEFAULT 0 CHECK (sessions_missed >= 0),
    last_attended_at timestamptz,
    PRIMARY KEY (user_id, month, payer_id),
    CONSTRAINT live_family_usage_payer_is_another CHECK (payer_id <> user_id),
    CONSTRAINT live_family_usage_is_not_overspent CHECK (held_minutes + attended_minutes <= allowed_minutes)
);
CREATE INDEX live_family_usage_month ON live_family_usage (month, payer_id);
