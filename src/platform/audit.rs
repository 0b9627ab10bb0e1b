//! The audit trail: who did what, and from where.
//!
//! Each entry is written in the transaction of the change that it records. Entries never change, except when a user is
//! deleted: then [`forget`] removes what could identify them.

use async_graphql::Enum;
use async_graphql::resolver_utils::EnumType;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Text, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;

use crate::platform::db::{RunQueryDsl, sql_query};
use serde_json::Value;
use uuid::Uuid;

use super::auth::Client;
use super::db::Tx;
use super::db::schema::audit_entries;
use super::internal_error::{Context, InternalError};

/// The maximum number of entries that [`forget`] changes at once.
const BATCH: i64 = 1000;

// All features' actions are listed in one place because this becomes an enum of the GraphQL schema.
/// The action that an entry of the audit trail records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
#[graphql(name = "AuditAction")]
pub enum Action {
    /// A user signed in.
    SignedIn,
    /// A signed-in user entered the password or the second factor again.
    Reauthenticated,
    /// An attempt to sign in failed. The entry has no subject if there is no such user.
    SignInFailed,
    /// Sessions of a user were ended, by signing out or from another session.
    SessionsEnded,
    /// A refresh token was used twice, and its session was ended.
    RefreshTokenReplayed,
    /// A user linked an account of an external identity provider.
    IdentityLinked,
    /// A user unlinked an account of an external identity provider.
    IdentityUnlinked,
    /// A second factor was enabled.
    SecondFactorEnabled,
    /// A second factor was disabled by its user or by an administrator.
    SecondFactorDisabled,
    /// A sign-in with the right password failed at the second factor.
    SecondFactorFailed,
    /// A recovery code was used in place of the second factor.
    RecoveryCodeUsed,
    /// A user generated new recovery codes.
    RecoveryCodesRenewed,
    /// A user's role was changed.
    RoleChanged,
    /// A person without an account was invited to the team.
    TeamMemberInvited,
    /// An invitation to the team was revoked.
    TeamInvitationRevoked,
    /// An invitation to the team was accepted.
    TeamInvitationAccepted,
    /// A user was banned, or a ban was changed.
    UserBanned,
    /// A ban was lifted before it expired.
    UserUnbanned,
    /// A user requested a change of their email address.
    EmailChangeRequested,
    /// A user's email address was changed.
    EmailChanged,
    /// A new user confirmed their email address, and the account was created.
    Registered,
    /// A user changed their password.
    PasswordChanged,
    /// A signed-in user entered a wrong current password.
    PasswordRefused,
    /// A password was reset with an emailed link.
    PasswordReset,
    /// A password reset link was requested.
    PasswordResetRequested,
    /// A personal API token was created.
    ApiTokenCreated,
    /// A personal API token was revoked.
    ApiTokenRevoked,
    /// A personal API token was used. Recorded at most once a day per token and IP address.
    ApiTokenUsed,
    /// A user's avatar was removed.
    AvatarRemoved,
    /// The deletion of an account was requested.
    AccountGivenUp,
    /// The requested deletion of an account was canceled.
    AccountKept,
    /// An account was deleted.
    AccountDeleted,
    /// An administrator granted a user access to a course or changed when the access expires.
    CourseAccessGranted,
    /// An administrator revoked a user's access to a course.
    CourseAccessRevoked,
    /// An administrator revoked a user's certificate.
    CertificateRevoked,
    /// An administrator gave a course to another instructor.
    CourseTransferred,
    /// An administrator archived a category.
    CategoryArchived,
    /// An administrator brought an archived category back.
    CategoryUnarchived,
    /// A channel was deleted by its owner or by an administrator.
    ChannelDeleted,
    /// A member of a course's team or an administrator moderated a question, a reply or a review.
    PostModerated,
    /// An instructor or an administrator announced something.
    AnnouncementCreated,
    /// An announcement was canceled by its author or by an administrator.
    AnnouncementCanceled,
    /// An administrator had a dead job tried again.
    JobReplayed,
    /// An administrator refunded an order, or a part of it.
    OrderRefunded,
    /// An administrator had an event of a payment provider processed again.
    PaymentEventReplayed,
    /// An administrator created a coupon.
    CouponCreated,
    /// An administrator changed when and how often a coupon is valid.
    CouponUpdated,
    /// An administrator archived a coupon.
    CouponArchived,
    /// An administrator recorded that a channel was paid its share.
    PayoutRecorded,
    /// An administrator changed what part of its sales is a channel's.
    ChannelShareChanged,
    /// An administrator changed which product on Google Play a price of a plan is.
    PlayProductChanged,
}

impl Action {
    /// The name of the action in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::SignedIn => "signed_in",
            Action::Reauthenticated => "reauthenticated",
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
            Action::CertificateRevoked => "certificate_revoked",
            Action::CourseTransferred => "course_transferred",
            Action::CategoryArchived => "category_archived",
            Action::CategoryUnarchived => "category_unarchived",
            Action::ChannelDeleted => "channel_deleted",
            Action::PostModerated => "post_moderated",
            Action::AnnouncementCreated => "announcement_created",
            Action::AnnouncementCanceled => "announcement_canceled",
            Action::JobReplayed => "job_replayed",
            Action::OrderRefunded => "order_refunded",
            Action::PaymentEventReplayed => "payment_event_replayed",
            Action::CouponCreated => "coupon_created",
            Action::CouponUpdated => "coupon_updated",
            Action::CouponArchived => "coupon_archived",
            Action::PayoutRecorded => "payout_recorded",
            Action::ChannelShareChanged => "channel_share_changed",
            Action::PlayProductChanged => "play_product_changed",
        }
    }

    /// Parses a stored name; `None` if only another version of the program knows it.
    pub fn parse(text: &str) -> Option<Action> {
        Action::items().iter().map(|item| item.value).find(|action| action.as_str() == text)
    }
}

/// A new entry of the audit trail.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The action.
    pub action: Action,
    /// The user who acted; `None` if unknown, as after a failed sign-in.
    pub actor: Option<Uuid>,
    /// The id of the user or object that the action affected.
    pub subject: Option<Uuid>,
    /// The client that sent the request.
    pub client: &'a Client,
    /// Further details as JSON; never contains a secret.
    pub details: Value,
}

/// Adds an entry. Pass a transaction's connection if the recorded change is made in one.
///
/// # Errors
/// The database failed.
pub async fn record(
    conn: &mut AsyncPgConnection,
    id: Uuid,
    at: DateTime<Utc>,
    entry: Entry<'_>,
) -> Result<(), InternalError> {
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
            audit_entries::request_id.eq(entry.client.request_id.as_deref()),
        ))
        .execute(conn)
        .await
        .context("cannot write to the audit trail")?;
    Ok(())
}

/// An entry of the audit trail, as exported to the user whom it concerns.
#[derive(Debug, Queryable)]
pub struct Line {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The stored name of the action.
    pub action: String,
    /// The user who acted; `None` if unknown.
    pub actor: Option<Uuid>,
    /// The IP address of the client; `None` if unknown or removed.
    pub ip: Option<String>,
    /// The user agent of the client.
    pub user_agent: String,
    /// Further details as JSON.
    pub details: Value,
}

/// The entries with `person` as actor or subject, newest first, at most `limit`.
///
/// # Errors
/// The database failed.
pub async fn about(conn: &mut AsyncPgConnection, person: Uuid, limit: i64) -> Result<Vec<Line>, InternalError> {
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

/// Anonymizes a batch of the entries about `person`, as part of deleting the user; returns how many were changed.
///
/// Entries whose actor is `person`, and entries about `person` without a known actor, lose their IP address, user
/// agent, request id, and details. Entries of other actors, such as administrators, stay, except that `email` is removed
/// from all details.
///
/// # Errors
/// The database failed.
pub async fn forget(tx: &mut Tx, person: Uuid, email: &str) -> Result<usize, InternalError> {
    let own = sql_query(format!(
        "UPDATE audit_entries SET ip = NULL, user_agent = '', details = '{{}}', request_id = NULL WHERE id IN ( \
            SELECT id FROM audit_entries WHERE (actor_id = $1 OR subject_id = $1 AND actor_id IS NULL) \
            AND (ip IS NOT NULL OR user_agent <> '' OR details <> '{{}}') LIMIT {BATCH})"
    ));
    let own = own.bind::<SqlUuid, _>(person).execute(tx.conn()).await.context("cannot anonymize the audit trail")?;
    let named = sql_query(format!(
        "UPDATE audit_entries SET details = details - 'email' WHERE id IN ( \
            SELECT id FROM audit_entries WHERE details ? 'email' AND details ->> 'email' = $1 LIMIT {BATCH})"
    ));
    let named = named.bind::<Text, _>(email).execute(tx.conn()).await.context("cannot anonymize the audit trail")?;
    Ok(own + named)
}

/// Whether an entry newer than `since` has the same action, subject, details, and IP address.
///
/// # Errors
/// The database failed.
pub async fn is_recorded(
    conn: &mut AsyncPgConnection,
    since: DateTime<Utc>,
    entry: &Entry<'_>,
) -> Result<bool, InternalError> {
    let same = audit_entries::table
        .filter(audit_entries::subject_id.is_not_distinct_from(entry.subject))
        .filter(audit_entries::at.gt(since))
        .filter(audit_entries::action.eq(entry.action.as_str()))
        .filter(audit_entries::ip.is_not_distinct_from(entry.client.ip_text()))
        .filter(audit_entries::details.eq(&entry.details))
        .select(audit_entries::id);
    diesel::select(diesel::dsl::exists(same)).get_result(conn).await.context("cannot read the audit trail")
}
