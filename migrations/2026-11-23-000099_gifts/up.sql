-- Who gives a course may have it, and may give it more than once.
DROP INDEX order_items_bought_once;
CREATE UNIQUE INDEX order_items_bought_once ON order_items (buyer_id, course_id) WHERE is_live AND kind = 'COURSE';

-- Courses that are given to another person. The order says who gives them.
CREATE TABLE gifts (
    id uuid PRIMARY KEY,
    item_id uuid NOT NULL UNIQUE REFERENCES order_items (id) ON DELETE CASCADE,
    order_id uuid NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    -- What the recipient claims it with: 16 letters and digits.
    code text NOT NULL UNIQUE CHECK (code ~ '^[A-Z2-9]{16}$'),
    -- Empty once the giver's account is deleted.
    recipient_email text NOT NULL CHECK (char_length(recipient_email) <= 254),
    message text NOT NULL CHECK (char_length(message) <= 1000),
    -- When it is mailed; null for as soon as it is paid.
    send_at timestamptz,
    -- How often it was to be mailed. A mail that is not the latest is not sent anymore.
    mails_asked integer NOT NULL DEFAULT 0,
    -- When the latest mail was sent.
    mailed_at timestamptz,
    claimed_by uuid REFERENCES users (id),
    claimed_at timestamptz,
    -- When it is refunded unless it is claimed; null before it is paid, and when it is claimed or taken back.
    expires_at timestamptz,
    CHECK ((claimed_by IS NULL) = (claimed_at IS NULL)),
    CHECK (expires_at IS NULL OR claimed_at IS NULL)
);
CREATE INDEX gifts_order_id ON gifts (order_id);
CREATE INDEX gifts_claimed_by ON gifts (claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX gifts_expires_at ON gifts (expires_at, id) WHERE expires_at IS NOT NULL;
