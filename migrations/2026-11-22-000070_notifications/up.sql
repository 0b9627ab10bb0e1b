-- What has happened: one row for similar events of an audience, however large the audience is.
CREATE TABLE notifications (
    id uuid PRIMARY KEY,
    -- Who is told: `user:<id>`, `course:<id>` (its students), `team:<id>` (of a course), `channel:<id>` (its followers),
    -- `question:<id>` (its followers), `role:<role>` or `everyone`.
    audience text NOT NULL,
    kind text NOT NULL,
    -- Events with the same key are one notification.
    group_key text NOT NULL,
    -- The public id of what it is about; empty if that is nothing.
    subject text NOT NULL,
    -- What a user can mute, so that they are not told of this: `course:<id>`, `channel:<id>`, `question:<id>`.
    mute_keys text[] NOT NULL,
    created_at timestamptz NOT NULL,
    -- When the latest event happened, and who caused it.
    at timestamptz NOT NULL,
    actor_id uuid,
    -- When the latest event happened that another user than the actor caused: the actor is told of no other.
    other_at timestamptz,
    -- In this order, so that lists are read from the other index of the audience.
    UNIQUE (group_key, audience)
);
CREATE INDEX notifications_audience ON notifications (audience, at, id);
CREATE INDEX notifications_at ON notifications (at);
CREATE INDEX notifications_own_at ON notifications (at) WHERE audience LIKE 'user:%';

-- The events of a notification. The id is derived from what has happened, so that nothing is counted twice.
CREATE TABLE notification_events (
    id uuid PRIMARY KEY,
    notification_id uuid NOT NULL REFERENCES notifications (id) ON DELETE CASCADE,
    at timestamptz NOT NULL,
    actor_id uuid,
    -- Ids and small facts; never names or titles, which are read when they are shown.
    facts jsonb NOT NULL
);
CREATE INDEX notification_events_latest ON notification_events (notification_id, at, id);
CREATE INDEX notification_events_at ON notification_events (at);

-- What a user has done with a notification. There is no row until then.
CREATE TABLE notification_receipts (
    user_id uuid NOT NULL REFERENCES users (id),
    notification_id uuid NOT NULL REFERENCES notifications (id) ON DELETE CASCADE,
    -- Events up to this time are read.
    read_through timestamptz,
    read_at timestamptz,
    archived_through timestamptz,
    archived_at timestamptz,
    -- Whether it was marked as unread after the mark of the user, which does not apply to it.
    kept boolean NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, notification_id)
);
CREATE INDEX notification_receipts_notification ON notification_receipts (notification_id);
CREATE INDEX notification_receipts_kept ON notification_receipts (user_id) WHERE kept;
CREATE INDEX notification_receipts_changed ON notification_receipts (changed_at);

-- Everything of a user up to these times is read or archived.
CREATE TABLE notification_marks (
    user_id uuid PRIMARY KEY REFERENCES users (id),
    read_through timestamptz NOT NULL,
    read_at timestamptz NOT NULL,
    archived_through timestamptz,
    archived_at timestamptz
);

-- How a user wants to be told.
CREATE TABLE notification_settings (
    user_id uuid PRIMARY KEY REFERENCES users (id),
    -- Of kinds that differ from the defaults: {"NEW_VIDEO": {"inApp": true, "email": false, "push": true}}.
    preferences jsonb NOT NULL,
    -- Minutes since midnight in the user's time zone.
    quiet_from smallint CHECK (quiet_from BETWEEN 0 AND 1439),
    quiet_to smallint CHECK (quiet_to BETWEEN 0 AND 1439),
    digest text NOT NULL CHECK (digest IN ('OFF', 'DAILY', 'WEEKLY')),
    CHECK ((quiet_from IS NULL) = (quiet_to IS NULL))
);

-- What a user does not want to be told of, as in `notifications.mute_keys`.
CREATE TABLE notification_mutes (
    user_id uuid NOT NULL REFERENCES users (id),
    subject text NOT NULL,
    muted_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, subject)
);
