-- Email addresses that notifications are not sent to: those that bounced, and those whose owners called a mail spam.
CREATE TABLE mail_suppressions (
    -- SHA-256 of the address in lower case: nothing has to be forgotten with an account.
    address_hash bytea PRIMARY KEY,
    reason text NOT NULL,
    at timestamptz NOT NULL
);
-- For the job that forgets old ones.
CREATE INDEX mail_suppressions_at ON mail_suppressions (at);
