-- When the role of a user was changed last; null if it is the one that they registered with. Users with a role are told of
-- nothing from before.
ALTER TABLE users ADD COLUMN role_since timestamptz;
-- Until now, the audit trail has it.
UPDATE users SET role_since = changed.at
FROM (SELECT subject_id, max(at) AS at FROM audit_entries WHERE action = 'role_changed' GROUP BY subject_id) AS changed
WHERE users.id = changed.subject_id;
