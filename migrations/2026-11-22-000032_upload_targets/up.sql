-- What will show the file of an upload; the server attaches it when the file is ready.
ALTER TABLE uploads
    -- The target, as the feature that owns it wrote it.
    ADD COLUMN attach_to jsonb,
    -- When it was attached, or could not be.
    ADD COLUMN attached_at timestamptz,
    -- The id of the object that shows the file.
    ADD COLUMN attached_to text,
    -- Why the file was not attached, for its owner.
    ADD COLUMN attach_failure text;
