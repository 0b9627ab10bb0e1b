//! Scheduled deletion of what is over.

use chrono::TimeDelta;

use crate::accounts::query::retention::{
    CHALLENGES, EMAIL_CHANGES, ENDED_SESSIONS, EXPIRED_SESSIONS, EXPIRED_TOKENS, IDENTITY_ATTEMPTS, INVITATIONS,
    REFRESH_TOKENS, REGISTRATIONS, REVOKED_TOKENS,
};
use crate::platform::jobs::Handler;
use crate::platform::retention::{TIMEOUT, delete};

/// How long sessions and tokens are retained after their end.
const MONTH: TimeDelta = TimeDelta::days(30);
/// How long an email change is retained after it expires, for delayed emails.
const DAY: TimeDelta = TimeDelta::days(1);
const NONE: TimeDelta = TimeDelta::zero();

/// Each table has a job of its own, so that none waits for another one.
pub(super) fn handlers() -> [Handler; 8] {
    [
        Handler::scheduled("accounts.sweep_sessions", "29 * * * *", TIMEOUT, |app, _| {
            delete(app, &[ENDED_SESSIONS, EXPIRED_SESSIONS], MONTH)
        }),
        Handler::scheduled("accounts.sweep_refresh_tokens", "31 * * * *", TIMEOUT, |app, _| {
            delete(app, &[REFRESH_TOKENS], MONTH)
        }),
        Handler::scheduled("accounts.sweep_api_tokens", "33 * * * *", TIMEOUT, |app, _| {
            delete(app, &[REVOKED_TOKENS, EXPIRED_TOKENS], MONTH)
        }),
        Handler::scheduled("accounts.sweep_challenges", "*/10 * * * *", TIMEOUT, |app, _| {
            delete(app, &[CHALLENGES], NONE)
        }),
        Handler::scheduled("accounts.sweep_identity_attempts", "*/10 * * * *", TIMEOUT, |app, _| {
            delete(app, &[IDENTITY_ATTEMPTS], NONE)
        }),
        Handler::scheduled("accounts.sweep_registrations", "*/10 * * * *", TIMEOUT, |app, _| {
            delete(app, &[REGISTRATIONS], NONE)
        }),
        Handler::scheduled("accounts.sweep_email_changes", "*/10 * * * *", TIMEOUT, |app, _| {
            delete(app, &[EMAIL_CHANGES], DAY)
        }),
        Handler::scheduled("accounts.sweep_invitations", "*/10 * * * *", TIMEOUT, |app, _| {
            delete(app, &[INVITATIONS], NONE)
        }),
    ]
}
