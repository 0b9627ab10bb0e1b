//! The audit trail: who did what, from where. Written in the transaction of what it tells of, never changed.

use async_graphql::Enum;
use async_graphql::resolver_utils::EnumType;
use chrono::{DateTime, Utc};
use diesel::ExpressionMethods;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;

use super::auth::Client;
use super::db::schema::audit_entries;
use super::fault::{Context, Fault};

// All of it is here, in one place, and becomes an enum of the schema.
/// What a line of the audit trail tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "AuditAction")]
pub enum Action {
    /// Somebody signed in.
    SignedIn,
    /// Somebody tried to sign in and did not prove to be the user. Without a subject, there is no such user.
    SignInFailed,
    /// A user's sessions were ended by signing out or from another session.
    SessionsEnded,
    /// A refresh token was used twice, and its session ended.
    RefreshTokenReplayed,
    /// A user signs in with another service, too, from now on.
    IdentityLinked,
    /// A user does not sign in with another service any more.
    IdentityUnlinked,
    /// A second factor was set up.
    SecondFactorEnabled,
    /// A second factor was given up, or removed by an administrator.
    SecondFactorDisabled,
    /// Somebody who knew the password gave a wrong code.
    SecondFactorFailed,
    /// A recovery code was taken for the second factor.
    RecoveryCodeUsed,
    /// A user made new recovery codes.
    RecoveryCodesRenewed,
    /// A user got another role.
    RoleChanged,
    /// A user was banned, or a ban was changed.
    UserBanned,
    /// A ban was lifted before its end.
    UserUnbanned,
}

impl Action {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::SignedIn => "signed_in",
            Action::SignInFailed => "sign_in_failed",
            Action::SessionsEnded => "sessions_ended",
            Action::RefreshTokenReplayed => "refresh_token_replayed",
            Action::IdentityLinked => "identity_linked",
            Action::IdentityUnlinked => "identity_unlinked",
            Action::SecondFactorEnabled => "second_factor_enabled",
            Action::SecondFactorDisabled => "second_factor_disabled",
            Action::SecondFactorFailed => "second_factor_failed",
            Action::RecoveryCodeUsed => "recovery_code_used",
            Action::RecoveryCodesRenewed => "recovery_codes_renewed",
            Action::RoleChanged => "role_changed",
            Action::UserBanned => "user_banned",
            Action::UserUnbanned => "user_unbanned",
        }
    }

    /// Reads what is stored; `None` for what only another version of the program knows.
    pub fn parse(text: &str) -> Option<Action> {
        Action::items().iter().map(|item| item.value).find(|action| action.as_str() == text)
    }
}

/// One line of the trail.
#[derive(Debug)]
pub struct Entry<'a> {
    /// What was done.
    pub action: Action,
    /// Who did it; `None` when nobody is known to have, as after a wrong password.
    pub actor: Option<Uuid>,
    /// To whom or what.
    pub subject: Option<Uuid>,
    /// From where.
    pub client: &'a Client,
    /// What else there is to know; never a secret.
    pub details: Value,
}

/// Adds a line, on a transaction's connection where there is one.
///
/// # Errors
/// The database failed.
pub async fn record(conn: &mut AsyncPgConnection, id: Uuid, at: DateTime<Utc>, entry: Entry<'_>) -> Result<(), Fault> {
    diesel::insert_into(audit_entries::table)
        .values((
            audit_entries::id.eq(id),
            audit_entries::at.eq(at),
            audit_entries::action.eq(entry.action.as_str()),
            audit_entries::actor_id.eq(entry.actor),
            audit_entries::subject_id.eq(entry.subject),
            audit_entries::ip.eq(entry.client.ip_text()),
            audit_entries::user_agent.eq(&entry.client.user_agent),
            audit_entries::details.eq(entry.details),
        ))
        .execute(conn)
        .await
        .context("cannot write to the audit trail")?;
    Ok(())
}
