ALTER TABLE payments DROP COLUMN subscription_starts_at;
DROP TABLE provider_subscriptions;
ALTER TABLE memberships DROP CONSTRAINT memberships_charged_to;
UPDATE memberships SET provider = NULL WHERE authorization_id IS NULL;
DROP INDEX memberships_subscription_id;
ALTER TABLE memberships DROP COLUMN subscription_id;
ALTER TABLE memberships
    ADD CONSTRAINT memberships_check4 CHECK ((provider IS NULL) = (authorization_id IS NULL));
