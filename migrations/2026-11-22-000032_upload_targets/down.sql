ALTER TABLE uploads DROP COLUMN attach_to, DROP COLUMN attached_at, DROP COLUMN attached_to, DROP COLUMN attach_failure;
