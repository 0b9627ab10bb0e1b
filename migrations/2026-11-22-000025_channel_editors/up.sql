-- Whether members of a channel may edit the courses in it.
ALTER TABLE channels ADD COLUMN members_edit boolean NOT NULL DEFAULT false;

-- Instructors who were invited to teach in a channel, until they accept or decline.
CREATE TABLE channel_invitations (
    channel_id uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    invited_by uuid NOT NULL REFERENCES users (id),
    invited_at timestamptz NOT NULL,
    PRIMARY KEY (channel_id, user_id)
);
-- A user's invitations (src/channels/query.rs), and those of a user whose account is deleted.
CREATE INDEX channel_invitations_user ON channel_invitations (user_id, invited_at);
CREATE INDEX channel_invitations_inviter ON channel_invitations (invited_by);
