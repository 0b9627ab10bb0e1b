//! The audit trail: who did what, from where. Written in the transaction of what it tells of, and never changed but
//! for people who are deleted: that something was done stays, from where it was done does not.

use async_graphql::Enum;
use async_graphql::resolver_utils::EnumType;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::AsyncPgConnection;

use crate::platform::db::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::auth::Client;
use super::db::Tx;
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
    /// Somebody without an account was invited to the team.
    TeamMemberInvited,
    /// An invitation to the team was withdrawn.
    TeamInvitationRevoked,
    /// Somebody joined the team by an invitation.
    TeamInvitationAccepted,
    /// A user was banned, or a ban was changed.
    UserBanned,
    /// A ban was lifted before its end.
    UserUnbanned,
    /// A user wants another e-mail address.
    EmailChangeRequested,
    /// A user has another e-mail address.
    EmailChanged,
    /// Somebody confirmed an address and got an account.
    Registered,
    /// A user chose a new password.
    PasswordChanged,
    /// Somebody in a user's session gave a wrong password.
    PasswordRefused,
    /// Somebody chose a new password with a mailed link.
    PasswordReset,
    /// Somebody asked for a link to choose a new password.
    PasswordResetRequested,
    /// A user made a personal API token.
    ApiTokenCreated,
    /// A personal API token was revoked.
    ApiTokenRevoked,
    /// A personal API token was used. Told once a day for each address.
    ApiTokenUsed,
    /// A user's picture was removed.
    AvatarRemoved,
    /// A user gave the account up.
    AccountGivenUp,
    /// An account that was given up is kept.
    AccountKept,
    /// An account was deleted.
    AccountDeleted,
    /// An administrator gave a user access to a course, or changed until when.
    CourseAccessGranted,
    /// An administrator took back a user's access to a course.
    CourseAccessRevoked,
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
            Action::TeamMemberInvited => "team_member_invited",
            Action::TeamInvitationRevoked => "team_invitation_revoked",
            Action::TeamInvitationAccepted => "team_invitation_accepted",
            Action::UserBanned => "user_banned",
            Action::UserUnbanned => "user_unbanned",
            Action::EmailChangeRequested => "email_change_requested",
            Action::EmailChanged => "email_changed",
            Action::Registered => "registered",
            Action::PasswordChanged => "password_changed",
            Action::PasswordRefused => "password_refused",
            Action::PasswordReset => "password_reset",
            Action::PasswordResetRequested => "password_reset_requested",
            Action::ApiTokenCreated => "api_token_created",
            Action::ApiTokenRevoked => "api_token_revoked",
            Action::ApiTokenUsed => "api_token_used",
            Action::AvatarRemoved => "avatar_removed",
            Action::AccountGivenUp => "account_given_up",
            Action::AccountKept => "account_kept",
            Action::AccountDeleted => "account_deleted",
            Action::CourseAccessGranted => "course_access_granted",
            Action::CourseAccessRevoked => "course_access_revoked",
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

/// A line of the trail about somebody, for themselves.
#[derive(Debug, Queryable)]
pub struct Line {
    /// When.
    pub at: DateTime<Utc>,
    /// What was done.
    pub action: String,
    /// By whom.
    pub actor: Option<Uuid>,
    /// From which address.
    pub ip: Option<String>,
    /// With which program.
    pub user_agent: String,
    /// What else there is to know.
    pub details: Value,
}

/// What `person` has done and what was done to them, the latest first, at most `limit` lines.
///
/// # Errors
/// The database failed.
pub async fn about(conn: &mut AsyncPgConnection, person: Uuid, limit: i64) -> Result<Vec<Line>, Fault> {
    audit_entries::table
        .filter(audit_entries::subject_id.eq(person).or(audit_entries::actor_id.eq(person)))
        .order((audit_entries::at.desc(), audit_entries::id.desc()))
        .limit(limit)
        .select((
            audit_entries::at,
            audit_entries::action,
            audit_entries::actor_id,
            audit_entries::ip,
            audit_entries::user_agent,
            audit_entries::details,
        ))
        .load(conn)
        .await
        .context("cannot read the audit trail")
}

/// Leaves of what `person` did, and of what nobody known did to them, only that it was done: no addresses, no
/// programs, no details. What others did, administrators say, is theirs to answer for and stays as it is, but for the
/// person's e-mail address.
///
/// # Errors
/// The database failed.
pub async fn forget(tx: &mut Tx, person: Uuid, email: &str) -> Result<(), Fault> {
    let by_nobody = audit_entries::subject_id.eq(person).and(audit_entries::actor_id.is_null());
    diesel::update(audit_entries::table)
        .filter(audit_entries::actor_id.eq(person).or(by_nobody))
        .set((
            audit_entries::ip.eq(None::<String>),
            audit_entries::user_agent.eq(""),
            audit_entries::details.eq(Value::Object(Default::default())),
        ))
        .execute(tx.conn())
        .await
        .context("cannot anonymise the audit trail")?;
    diesel::sql_query("UPDATE audit_entries SET details = details - 'email' WHERE details ->> 'email' = $1")
        .bind::<Text, _>(email)
        .execute(tx.conn())
        .await
        .context("cannot anonymise the audit trail")?;
    Ok(())
}

/// Whether there is such a line since `since`: the same action, subject, details and address.
///
/// # Errors
/// The database failed.
pub async fn is_recorded(conn: &mut AsyncPgConnection, since: DateTime<Utc>, entry: &Entry<'_>) -> Result<bool, Fault> {
    let same = audit_entries::table
        .filter(audit_entries::subject_id.is_not_distinct_from(entry.subject))
        .filter(audit_entries::at.gt(since))
        .filter(audit_entries::action.eq(entry.action.as_str()))
        .filter(audit_entries::ip.is_not_distinct_from(entry.client.ip_text()))
        .filter(audit_entries::details.eq(&entry.details))
        .select(audit_entries::id);
    diesel::select(diesel::dsl::exists(same)).get_result(conn).await.context("cannot read the audit trail")
}
