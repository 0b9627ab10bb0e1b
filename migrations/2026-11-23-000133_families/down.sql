DROP TABLE live_family_usage;
ALTER TABLE live_attendances DROP COLUMN payer_id;
DROP TABLE family_invitations, family_members;
ALTER TABLE plans DROP COLUMN family_member_minutes, DROP COLUMN family_size;
