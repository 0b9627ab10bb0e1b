DROP TABLE channel_invitations;
ALTER TABLE channels DROP COLUMN members_edit;
