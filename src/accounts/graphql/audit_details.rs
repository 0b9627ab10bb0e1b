//! The details of audit entries in the schema.
//!
//! Each command writes its details as JSON. What cannot be read as the type of its action, such as the details of
//! another version of the program, has none here. Fields of one name have one type, so that a client can select all
//! types without aliases.

use async_graphql::{Context, ID, Object, SimpleObject, Union};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::audit_money::{
    AuditCouponDetails, AuditEarningsDetails, AuditPaymentEventDetails, AuditPlayProductDetails, AuditRefundDetails,
};
use super::user::{UserObject, user_node};
use crate::accounts::model::{AuditEntry, EmailChangeId, IdentityId, SessionEnd, UserId};
use crate::accounts::policy;
use crate::graphql::context::actor;
use crate::graphql::guard::{Role, Scope};
use crate::graphql::{Result, Sequential};
use crate::platform::audit::Action;
use crate::platform::auth;

/// What an entry of the audit trail tells besides who did what to whom. Its type depends on the action.
#[derive(Union)]
pub(super) enum AuditDetails {
    Sessions(AuditSessionDetails),
    SignInFailure(AuditSignInFailure),
    ApiToken(AuditApiTokenDetails),
    Identity(AuditIdentityDetails),
    EmailChange(AuditEmailChangeDetails),
    RoleChange(AuditRoleChange),
    Ban(AuditBanDetails),
    Invitation(AuditInvitationDetails),
    Deletion(AuditDeletionDetails),
    Access(AuditAccessDetails),
    Transfer(AuditCourseTransfer),
    Category(AuditCategoryDetails),
    Channel(AuditChannelDetails),
    Moderation(AuditModerationDetails),
    Announcement(AuditAnnouncementDetails),
    Job(AuditJobDetails),
    Refund(AuditRefundDetails),
    PaymentEvent(AuditPaymentEventDetails),
    Coupon(AuditCouponDetails),
    Earnings(AuditEarningsDetails),
    PlayProduct(AuditPlayProductDetails),
}

impl AuditDetails {
    /// Returns the details of `entry`; `None` if there are none, or none that this version of the program knows.
    pub(super) fn of(entry: &AuditEntry) -> Option<AuditDetails> {
        let details = entry.details.as_object().filter(|details| !details.is_empty())?;
        let details = &Value::Object(details.clone());
        match Action::parse(&entry.action)? {
            Action::SignedIn
            | Action::Reauthenticated
            | Action::RefreshTokenReplayed
            | Action::SessionsEnded
            | Action::PasswordChanged
            | Action::PasswordReset => read(details, |sessions: Sessions| AuditDetails::Sessions(sessions.into())),
            Action::SignInFailed => read(details, |failure: Failure| AuditDetails::SignInFailure(failure.into())),
            Action::ApiTokenCreated | Action::ApiTokenRevoked | Action::ApiTokenUsed => {
                read(details, |token: ApiToken| AuditDetails::ApiToken(token.into()))
            }
            Action::IdentityLinked | Action::IdentityUnlinked => read(details, AuditDetails::Identity),
            Action::EmailChangeRequested | Action::EmailChanged => read(details, AuditDetails::EmailChange),
            Action::RoleChanged => read(details, |RoleChange { from, to }| {
                AuditDetails::RoleChange(AuditRoleChange { from: from.into(), to: to.into() })
            }),
            Action::UserBanned | Action::UserUnbanned => read(details, AuditDetails::Ban),
            Action::TeamMemberInvited | Action::TeamInvitationRevoked | Action::TeamInvitationAccepted => {
                read(details, AuditDetails::Invitation)
            }
            Action::AccountGivenUp => read(details, AuditDetails::Deletion),
            Action::CourseAccessGranted | Action::CourseAccessRevoked | Action::CertificateRevoked => {
                read(details, AuditDetails::Access)
            }
            Action::CourseTransferred => read(details, AuditDetails::Transfer),
            Action::CategoryArchived | Action::CategoryUnarchived => read(details, AuditDetails::Category),
            Action::ChannelDeleted => read(details, AuditDetails::Channel),
            Action::PostModerated => read(details, AuditDetails::Moderation),
            Action::AnnouncementCreated | Action::AnnouncementCanceled => read(details, AuditDetails::Announcement),
            Action::JobReplayed => read(details, AuditDetails::Job),
            Action::OrderRefunded => read(details, AuditDetails::Refund),
            Action::PaymentEventReplayed => read(details, AuditDetails::PaymentEvent),
            Action::CouponCreated | Action::CouponUpdated | Action::CouponArchived => {
                read(details, AuditDetails::Coupon)
            }
            Action::PayoutRecorded | Action::ChannelShareChanged => read(details, AuditDetails::Earnings),
            Action::PlayProductChanged => read(details, AuditDetails::PlayProduct),
            Action::SecondFactorEnabled
            | Action::SecondFactorDisabled
            | Action::SecondFactorFailed
            | Action::RecoveryCodeUsed
            | Action::RecoveryCodesRenewed
            | Action::Registered
            | Action::PasswordRefused
            | Action::PasswordResetRequested
            | Action::AvatarRemoved
            | Action::AccountKept
            | Action::AccountDeleted => None,
        }
    }
}

fn read<T: DeserializeOwned>(details: &Value, known: impl Fn(T) -> AuditDetails) -> Option<AuditDetails> {
    T::deserialize(details).ok().map(known)
}

/// The sessions that began, ended or were confirmed.
#[derive(SimpleObject)]
pub(super) struct AuditSessionDetails {
    /// The ids of the sessions; none if a change of the password ended no session.
    session_ids: Vec<ID>,
    /// Why they ended; null if they did not, or if the action says it.
    end_reason: Option<SessionEnd>,
}

/// The details of sessions as they are stored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sessions {
    session_id: Option<String>,
    #[serde(default, alias = "endedSessionIds")]
    session_ids: Vec<String>,
    reason: Option<String>,
}

impl From<Sessions> for AuditSessionDetails {
    fn from(stored: Sessions) -> AuditSessionDetails {
        let ids = stored.session_id.into_iter().chain(stored.session_ids);
        let end_reason = stored.reason.and_then(|reason| SessionEnd::parse(&reason));
        AuditSessionDetails { session_ids: ids.map(ID).collect(), end_reason }
    }
}

/// Why a sign-in failed, if it was not for a wrong email address or password.
#[derive(SimpleObject)]
pub(super) struct AuditSignInFailure {
    /// Whether the password was right but the user is banned.
    is_banned: bool,
    /// Whether it was a sign-in with an identity provider.
    is_social: bool,
    /// What the person was told; null if it follows from the rest.
    message: Option<String>,
}

/// The details of a failed sign-in as they are stored.
#[derive(Deserialize)]
struct Failure {
    #[serde(default)]
    banned: bool,
    #[serde(default)]
    social: bool,
    why: Option<Vec<String>>,
}

impl From<Failure> for AuditSignInFailure {
    fn from(Failure { banned, social, why }: Failure) -> AuditSignInFailure {
        AuditSignInFailure { is_banned: banned, is_social: social, message: why.map(|why| why.join(" ")) }
    }
}

/// The personal API token that was created, used or revoked.
#[derive(SimpleObject)]
pub(super) struct AuditApiTokenDetails {
    /// The id of the token.
    api_token_id: ID,
    /// The name of the token; null for its use.
    name: Option<String>,
    /// The scopes of a new token; empty for its use and its end.
    scopes: Vec<Scope>,
    /// When a new token expires; null for its use and its end.
    expires_at: Option<DateTime<Utc>>,
}

/// The details of an API token as they are stored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiToken {
    api_token_id: String,
    name: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
    expires_at: Option<DateTime<Utc>>,
}

impl From<ApiToken> for AuditApiTokenDetails {
    fn from(ApiToken { api_token_id, name, scopes, expires_at }: ApiToken) -> AuditApiTokenDetails {
        let scopes = scopes.iter().filter_map(|scope| scope.parse::<auth::Scope>().ok().map(Scope::from)).collect();
        AuditApiTokenDetails { api_token_id: ID(api_token_id), name, scopes, expires_at }
    }
}

/// The account at an identity provider that was linked or unlinked.
#[derive(SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditIdentityDetails {
    /// The id of the linked account.
    identity_id: IdentityId,
    /// The key of the identity provider; null for an account that was unlinked.
    provider: Option<String>,
    /// The issuer by which the provider identifies itself; null for an account that was linked.
    issuer: Option<String>,
}

/// The change of an email address.
#[derive(SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditEmailChangeDetails {
    /// The id of the change. The addresses are not in the audit trail.
    email_change_id: EmailChangeId,
}

/// The change of a user's role.
#[derive(SimpleObject)]
pub(super) struct AuditRoleChange {
    /// The previous role.
    from: Role,
    /// The new role.
    to: Role,
}

/// The change of a role as it is stored.
#[derive(Deserialize)]
struct RoleChange {
    from: auth::Role,
    to: auth::Role,
}

/// The ban that began, changed or was lifted.
#[derive(SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditBanDetails {
    /// The reason, as reported to the user.
    reason: String,
    /// When the ban ends by itself; null if it is permanent.
    ends_at: Option<DateTime<Utc>>,
}

/// The invitation to the team that was sent, revoked or accepted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditInvitationDetails {
    invitation_id: String,
    email: Option<String>,
    role: auth::Role,
    invited_by: Option<String>,
}

/// An invitation to the team that was sent, revoked or accepted.
#[Object]
impl AuditInvitationDetails {
    /// The id of the invitation.
    async fn invitation_id(&self) -> ID {
        ID(self.invitation_id.clone())
    }

    /// The address to which it was sent; null if it was accepted, or after the account with the address was deleted.
    async fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    /// The role in the team.
    async fn role(&self) -> Role {
        self.role.into()
    }

    /// The user who sent the invitation that was accepted; otherwise null.
    async fn invited_by(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        match &self.invited_by {
            Some(id) => user(ctx, id).await,
            None => Ok(None),
        }
    }
}

/// The deletion of an account that was requested.
#[derive(SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditDeletionDetails {
    /// When the account is to be deleted.
    due_at: DateTime<Utc>,
}

/// The access to a course that was granted or revoked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditAccessDetails {
    course: String,
    expires_at: Option<DateTime<Utc>>,
    #[serde(default)]
    reason: String,
}

/// Access to a course that was granted or revoked, or the certificate of a course that was revoked.
#[Object]
impl AuditAccessDetails {
    /// The id of the course.
    async fn course_id(&self) -> ID {
        ID(self.course.clone())
    }

    /// When the access expires; null if it is permanent or was revoked.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.expires_at
    }

    /// The administrator's reason; may be empty. Empty for everybody but administrators.
    async fn reason(&self, ctx: &Context<'_>) -> &str {
        if policy::can_administer(actor(ctx)) { &self.reason } else { "" }
    }
}

/// The transfer of a course.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditCourseTransfer {
    course_id: String,
    #[serde(rename = "from")]
    previous: String,
    #[serde(rename = "to")]
    new: String,
}

/// A transfer of a course to another instructor.
#[Object]
impl AuditCourseTransfer {
    /// The id of the course.
    async fn course_id(&self) -> ID {
        ID(self.course_id.clone())
    }

    /// The previous instructor.
    async fn previous_instructor(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        user(ctx, &self.previous).await
    }

    /// The new instructor.
    async fn new_instructor(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        user(ctx, &self.new).await
    }
}

/// The category that was archived or brought back.
#[derive(SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditCategoryDetails {
    /// The id of the category.
    category_id: ID,
    /// The name that it had.
    #[serde(rename = "name")]
    category_name: String,
    /// The URL slug that it had.
    #[serde(rename = "slug")]
    category_slug: String,
}

/// The channel that was deleted.
#[derive(SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditChannelDetails {
    /// The id that the channel had.
    channel_id: ID,
    /// The name that it had.
    #[serde(rename = "name")]
    channel_name: String,
    /// The URL slug that it had.
    #[serde(rename = "slug")]
    channel_slug: String,
}

/// The moderation of a post.
#[derive(SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditModerationDetails {
    /// The id of the post.
    post_id: ID,
    /// The id of its course.
    course_id: ID,
    /// What was done with the post, such as HIDE or REMOVE.
    moderation: String,
    /// The moderator's reason; may be empty.
    reason: String,
}

/// The announcement that was made or canceled.
#[derive(SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditAnnouncementDetails {
    /// The id of the announcement.
    announcement_id: ID,
    /// Its title.
    #[serde(rename = "title")]
    announcement_title: String,
}

/// The job that was replayed.
#[derive(SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditJobDetails {
    /// The id of the job.
    job_id: ID,
    /// What it does, such as `accounts.welcome`.
    kind: String,
}

/// Returns the user with the id `text`; `None` if it is no such id.
async fn user(ctx: &Context<'_>, text: &str) -> Result<Option<Sequential<UserObject>>> {
    let Ok(id) = text.parse::<UserId>() else { return Ok(None) };
    Ok(user_node(ctx, id).await?.map(Sequential))
}
