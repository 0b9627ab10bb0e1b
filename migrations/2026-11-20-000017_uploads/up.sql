-- Tickets: the permission to send one file to the object store, and what became of it. The video that comes of one has
-- the same id.
CREATE TABLE uploads (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    -- What the file is said to be.
    filename text NOT NULL CHECK (char_length(filename) BETWEEN 1 AND 255),
    content_type text NOT NULL,
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    -- The size of all parts but the last; null if the file is sent whole.
    part_bytes bigint CHECK (part_bytes > 0),
    -- What the store calls the upload in parts; null until it was asked for one.
    multipart_id text,
    status text NOT NULL CHECK (status IN ('CREATED', 'UPLOADING', 'COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED')),
    -- As of looked_at, when the store was last asked.
    received_bytes bigint NOT NULL DEFAULT 0 CHECK (received_bytes BETWEEN 0 AND size_bytes),
    looked_at timestamptz NOT NULL,
    -- Why it failed, for its owner.
    failure text,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    -- Who is looking at the file that arrived, and how long nobody else does.
    completing_by uuid,
    completing_until timestamptz,
    ended_at timestamptz,
    -- When what arrived too late was removed, too.
    swept_at timestamptz,
    CHECK ((ended_at IS NULL) = (status IN ('CREATED', 'UPLOADING'))),
    CHECK ((completing_by IS NULL) = (completing_until IS NULL))
);
CREATE INDEX uploads_user_id ON uploads (user_id, created_at DESC, id DESC);
CREATE INDEX uploads_looked_at ON uploads (looked_at) WHERE ended_at IS NULL;
CREATE INDEX uploads_expires_at ON uploads (expires_at) WHERE swept_at IS NULL;
CREATE INDEX uploads_ended_at ON uploads (ended_at) WHERE swept_at IS NOT NULL;
