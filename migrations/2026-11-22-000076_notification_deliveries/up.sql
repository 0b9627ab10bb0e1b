-- Browsers and apps that are sent push messages.
CREATE TABLE push_subscriptions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    -- The session that registered it: it ends with the session.
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    service text NOT NULL CHECK (service IN ('WEB', 'FCM', 'APNS')),
    -- The URL of a browser's push service, or the token of a device.
    address text NOT NULL UNIQUE,
    -- The browser's keys (RFC 8291).
    p256dh bytea,
    auth bytea,
    created_at timestamptz NOT NULL,
    -- When a push service last accepted a message for it.
    last_used_at timestamptz,
    CHECK ((service = 'WEB') = (p256dh IS NOT NULL AND auth IS NOT NULL))
);
CREATE INDEX push_subscriptions_user ON push_subscriptions (user_id, created_at, id);
CREATE INDEX push_subscriptions_session ON push_subscriptions (session_id);

-- How far the audience of an event has been walked to find whom to send it to.
CREATE TABLE notification_walks (
    event_id uuid PRIMARY KEY REFERENCES notification_events (id) ON DELETE CASCADE,
    -- Users up to this id have been seen.
    position uuid NOT NULL,
    ended_at timestamptz
);

-- A notification that is to be sent, or was sent, to one user by email or to one device of a user.
CREATE TABLE notification_deliveries (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    notification_id uuid NOT NULL REFERENCES notifications (id) ON DELETE CASCADE,
    -- The event that it was made for.
    event_id uuid NOT NULL,
    channel text NOT NULL CHECK (channel IN ('EMAIL', 'PUSH')),
    push_subscription_id uuid REFERENCES push_subscriptions (id) ON DELETE CASCADE,
    -- The digest that it belongs to, by the time for which that is planned; null if it is sent on its own.
    digest_at timestamptz,
    -- When to send it, to retry it, or to assume that the node that sends it has ended.
    due_at timestamptz NOT NULL,
    status text NOT NULL CHECK (status IN ('PENDING', 'SENDING', 'SENT', 'SKIPPED', 'FAILED')),
    attempts integer NOT NULL DEFAULT 0,
    last_error text,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    CHECK ((channel = 'PUSH') = (push_subscription_id IS NOT NULL)),
    CHECK ((ended_at IS NULL) = (status IN ('PENDING', 'SENDING')))
);
-- While one waits, more events of the same notification are told by it.
CREATE UNIQUE INDEX notification_deliveries_pending
    ON notification_deliveries (user_id, notification_id, channel, push_subscription_id) NULLS NOT DISTINCT
    WHERE status = 'PENDING';
CREATE INDEX notification_deliveries_due ON notification_deliveries (due_at) WHERE ended_at IS NULL;
CREATE INDEX notification_deliveries_ended ON notification_deliveries (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX notification_deliveries_user ON notification_deliveries (user_id);
CREATE INDEX notification_deliveries_notification ON notification_deliveries (notification_id);
CREATE INDEX notification_deliveries_subscription ON notification_deliveries (push_subscription_id);

-- Users who have ended all notifications by email with the link in one of them.
CREATE TABLE notification_unsubscribes (
    user_id uuid PRIMARY KEY REFERENCES users (id),
    unsubscribed_at timestamptz NOT NULL
);
