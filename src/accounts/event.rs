//! What happened to accounts.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::model::{EmailChangeId, FactorChange, InvitationId, RegistrationId, SessionId, UserId};
use crate::platform::outbox::Event;

/// Somebody got an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserRegistered {
    /// Who.
    pub user_id: UserId,
}

impl Event for UserRegistered {
    const KIND: &'static str = "user_registered";
}

/// Somebody's role changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct UserRoleChanged {
    /// Whose.
    pub(super) user_id: UserId,
    /// From which.
    pub(super) from: crate::platform::auth::Role,
    /// To which.
    pub(super) to: crate::platform::auth::Role,
}

impl Event for UserRoleChanged {
    const KIND: &'static str = "user_role_changed";
}

/// What is shown of somebody changed, or what they may see.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct UserChanged {
    /// Who.
    pub(super) user_id: UserId,
}

impl Event for UserChanged {
    const KIND: &'static str = "user_changed";
}

/// Somebody gave the account up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AccountDeletionScheduled {
    /// Who.
    pub(super) user_id: UserId,
    /// When the account is deleted unless its user changes their mind.
    pub(super) due_at: DateTime<Utc>,
}

impl Event for AccountDeletionScheduled {
    const KIND: &'static str = "account_deletion_scheduled";
}

/// Nothing of the person is left in the account. What other features know about the person has to go, too.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserDeleted {
    /// Who it was.
    pub user_id: UserId,
}

impl Event for UserDeleted {
    const KIND: &'static str = "user_deleted";
}

/// Somebody without an account is to join the team.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TeamMemberInvited {
    /// The invitation.
    pub(super) invitation_id: InvitationId,
}

impl Event for TeamMemberInvited {
    const KIND: &'static str = "team_member_invited";
}

/// Somebody was shut out, or the terms of it changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct UserBanned {
    /// Who.
    pub(super) user_id: UserId,
    /// Why.
    pub(super) reason: String,
    /// Until when; `None` is for good.
    pub(super) until: Option<DateTime<Utc>>,
}

impl Event for UserBanned {
    const KIND: &'static str = "user_banned";
}

/// A refresh token was used twice, and its session ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SessionReplayed {
    /// Whose.
    pub(super) user_id: UserId,
    /// Which session.
    pub(super) session_id: SessionId,
    /// The address of the client that used it again.
    pub(super) ip: Option<String>,
    /// What that client calls itself.
    pub(super) user_agent: String,
    /// When.
    pub(super) at: DateTime<Utc>,
}

impl Event for SessionReplayed {
    const KIND: &'static str = "session_replayed";
}

/// Somebody's second factor was set up, given up, or replaced by a recovery code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SecondFactorChanged {
    /// Whose.
    pub(super) user_id: UserId,
    /// What happened.
    pub(super) change: FactorChange,
    /// When.
    pub(super) at: DateTime<Utc>,
}

impl Event for SecondFactorChanged {
    const KIND: &'static str = "second_factor_changed";
}

/// Somebody wants an account, or another code for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ActivationRequested {
    /// Which registration.
    pub(super) registration_id: RegistrationId,
    /// How many codes there were before.
    pub(super) resends: i32,
}

impl Event for ActivationRequested {
    const KIND: &'static str = "activation_requested";
}

/// Somebody has forgotten a password, or says so.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PasswordResetRequested {
    /// Whose address it was; nobody's often enough.
    pub(super) user_id: Option<UserId>,
    /// When.
    pub(super) at: DateTime<Utc>,
}

impl Event for PasswordResetRequested {
    const KIND: &'static str = "password_reset_requested";
}

/// A user has another password.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PasswordChanged {
    /// Who.
    pub(super) user_id: UserId,
    /// When.
    pub(super) at: DateTime<Utc>,
}

impl Event for PasswordChanged {
    const KIND: &'static str = "password_changed";
}

/// A user wants another address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct EmailChangeRequested {
    /// Which change.
    pub(super) email_change_id: EmailChangeId,
}

impl Event for EmailChangeRequested {
    const KIND: &'static str = "email_change_requested";
}
