-- Who was in which family, and is not anymore: months that are over show the hours that a user had at their end.
CREATE TABLE family_stays (
    user_id uuid NOT NULL REFERENCES users (id),
    joined_at timestamptz NOT NULL,
    membership_id uuid NOT NULL REFERENCES memberships (id) ON DELETE CASCADE,
    left_at timestamptz NOT NULL CHECK (left_at > joined_at),
    PRIMARY KEY (user_id, joined_at)
);
