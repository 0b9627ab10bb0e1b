//! Events of the accounts feature.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::model::{ApiTokenId, EmailChangeId, FactorChange, InvitationId, RegistrationId, SessionId, UserId};
use crate::platform::outbox::Event;

/// An account was created.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserRegistered {
    /// The new user.
    pub user_id: UserId,
}

impl Event for UserRegistered {
    const KIND: &'static str = "user_registered";
}

/// A user's role changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserRoleChanged {
    /// The user.
    pub user_id: UserId,
    /// The previous role.
    pub from: crate::platform::auth::Role,
    /// The new role.
    pub to: crate::platform::auth::Role,
}

impl Event for UserRoleChanged {
    const KIND: &'static str = "user_role_changed";
}

/// A user's profile, picture or account status changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UserChanged {
    /// The user.
    pub user_id: UserId,
}

impl Event for UserChanged {
    const KIND: &'static str = "user_changed";
}

/// A user requested the deletion of their account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AccountDeletionScheduled {
    /// The user.
    pub user_id: UserId,
    /// When the account is deleted unless the request is canceled.
    pub due_at: DateTime<Utc>,
}

impl Event for AccountDeletionScheduled {
    const KIND: &'static str = "account_deletion_scheduled";
}

/// An account was deleted and anonymized. Other features must delete their personal data of the user, too.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserDeleted {
    /// The deleted user.
    pub user_id: UserId,
}

impl Event for UserDeleted {
    const KIND: &'static str = "user_deleted";
}

/// An email address without an account was invited to join the team.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TeamMemberInvited {
    /// The invitation.
    pub invitation_id: InvitationId,
}

impl Event for TeamMemberInvited {
    const KIND: &'static str = "team_member_invited";
}

/// A user created a personal API token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApiTokenCreated {
    /// The owner of the token.
    pub user_id: UserId,
    /// The token.
    pub api_token_id: ApiTokenId,
}

impl Event for ApiTokenCreated {
    const KIND: &'static str = "api_token_created";
}

/// A user was banned, or the reason or end of a ban changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UserBanned {
    /// The banned user.
    pub user_id: UserId,
    /// The reason.
    pub reason: String,
    /// When the ban ends; `None` if it is permanent.
    pub(crate) until: Option<DateTime<Utc>>,
}

impl Event for UserBanned {
    const KIND: &'static str = "user_banned";
}

/// A refresh token was reused, and its session was ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionReplayed {
    /// The owner of the session.
    pub user_id: UserId,
    /// The session.
    pub session_id: SessionId,
    /// The IP address of the client that reused the token.
    pub ip: Option<String>,
    /// The user agent of that client.
    pub user_agent: String,
    /// When the token was reused.
    pub at: DateTime<Utc>,
}

impl Event for SessionReplayed {
    const KIND: &'static str = "session_replayed";
}

/// A user's second factor or its recovery codes changed, or a recovery code was used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SecondFactorChanged {
    /// The user.
    pub user_id: UserId,
    /// The change.
    pub change: FactorChange,
    /// When it happened.
    pub at: DateTime<Utc>,
}

impl Event for SecondFactorChanged {
    const KIND: &'static str = "second_factor_changed";
}

/// An account at an identity provider was linked to a user or unlinked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IdentityChanged {
    /// The user.
    pub user_id: UserId,
    /// The name of the identity provider.
    pub provider: String,
    /// Whether the account is linked now.
    pub linked: bool,
    /// When it happened.
    pub at: DateTime<Utc>,
}

impl Event for IdentityChanged {
    const KIND: &'static str = "identity_changed";
}

/// An activation code was requested, by a registration or a resend.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ActivationRequested {
    /// The registration.
    pub(crate) registration_id: RegistrationId,
    /// How many codes were requested before this one.
    pub(crate) resends: i32,
}

impl Event for ActivationRequested {
    const KIND: &'static str = "activation_requested";
}

/// A password reset was requested for an email address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PasswordResetRequested {
    /// The user with the email address; `None` if there is none.
    pub user_id: Option<UserId>,
    /// When it was requested.
    pub at: DateTime<Utc>,
}

impl Event for PasswordResetRequested {
    const KIND: &'static str = "password_reset_requested";
}

/// A user's password was changed or reset.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PasswordChanged {
    /// The user.
    pub user_id: UserId,
    /// When it changed.
    pub at: DateTime<Utc>,
}

impl Event for PasswordChanged {
    const KIND: &'static str = "password_changed";
}

/// A user requested a change of their email address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct EmailChangeRequested {
    /// The pending change.
    pub email_change_id: EmailChangeId,
}

impl Event for EmailChangeRequested {
    const KIND: &'static str = "email_change_requested";
}
