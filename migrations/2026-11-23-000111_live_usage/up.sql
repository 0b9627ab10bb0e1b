-- Who takes part in a live session: one row for each user, whatever happens.
CREATE TABLE live_attendances (
    id uuid PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES live_sessions (id),
    user_id uuid NOT NULL REFERENCES users (id),
    status text NOT NULL CHECK (status IN ('WAITING', 'HELD', 'ATTENDED', 'ABSENT', 'RELEASED')),
    -- What it costs, and the month that it is charged to: its first day.
    minutes integer NOT NULL CHECK (minutes > 0),
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    -- Since when the user has this place in the waiting list, or in the session.
    since timestamptz NOT NULL,
    joined_at timestamptz,
    left_at timestamptz,
    -- What the host has recorded: whether the user was there.
    recorded boolean,
    settled_at timestamptz,
    UNIQUE (session_id, user_id)
);
CREATE INDEX live_attendances_status ON live_attendances (session_id, status, since, id);
CREATE INDEX live_attendances_user_id ON live_attendances (user_id, since DESC, id DESC);

-- The minutes of a user in a month, written in the transaction of the attendance that they are for.
CREATE TABLE live_usage (
    user_id uuid NOT NULL REFERENCES users (id),
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    allowed_minutes integer NOT NULL CHECK (allowed_minutes >= 0),
    rolled_over_minutes integer NOT NULL DEFAULT 0 CHECK (rolled_over_minutes >= 0),
    held_minutes integer NOT NULL DEFAULT 0 CHECK (held_minutes >= 0),
    attended_minutes integer NOT NULL DEFAULT 0 CHECK (attended_minutes >= 0),
    sessions_attended integer NOT NULL DEFAULT 0 CHECK (sessions_attended >= 0),
    -- Those in which the user had a seat and was not there.
    sessions_missed integer NOT NULL DEFAULT 0 CHECK (sessions_missed >= 0),
    last_attended_at timestamptz,
    PRIMARY KEY (user_id, month),
    CONSTRAINT live_usage_is_not_overspent
        CHECK (held_minutes + attended_minutes <= allowed_minutes + rolled_over_minutes)
);
CREATE INDEX live_usage_month ON live_usage (month, attended_minutes DESC, user_id);
