//! The email templates of this feature, their contexts and samples.
//!
//! [`Activation`] and [`EmailChangeConfirm`] go to unconfirmed addresses. They do not greet by name: a stranger could
//! put an advertisement into the name and have us deliver it.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::platform::auth::Role;
use crate::platform::mail::{self, Sample, Template};

/// Welcomes a new user.
pub(super) static WELCOME: Template = mail::template!("welcome");
/// Asks a new user to confirm the email address.
pub(super) static ACTIVATION: Template = mail::template!("activation");
/// Sent instead of a code if the email address already has an account.
pub(super) static ALREADY_REGISTERED: Template = mail::template!("already_registered");
/// Contains a link to reset the password.
pub(super) static PASSWORD_RESET: Template = mail::template!("password_reset");
/// Notifies a user that the password was changed.
pub(super) static PASSWORD_CHANGED: Template = mail::template!("password_changed");
/// Sent to the new address when a change is requested.
pub(super) static EMAIL_CHANGE_CONFIRM: Template = mail::template!("email_change_confirm");
/// Sent to the old address at the same time, so that its owner can still prevent the change.
pub(super) static EMAIL_CHANGE_NOTICE: Template = mail::template!("email_change_notice");
/// Warns that a refresh token was reused.
pub(super) static SESSION_STOLEN: Template = mail::template!("session_stolen");
/// Notifies a user that an account at an identity provider was linked or unlinked.
pub(super) static IDENTITY_CHANGED: Template = mail::template!("identity_changed");
/// Notifies a user that a personal API token was created.
pub(super) static API_TOKEN_CREATED: Template = mail::template!("api_token_created");
/// Notifies a user that an administrator has banned them.
pub(super) static ACCOUNT_BANNED: Template = mail::template!("account_banned");
/// Invites a person without an account to the team.
pub(super) static TEAM_INVITATION: Template = mail::template!("team_invitation");
/// Notifies a user that an administrator has changed their role.
pub(super) static ROLE_CHANGED: Template = mail::template!("role_changed");
/// Confirms that a user has requested the deletion of their account.
pub(super) static ACCOUNT_DELETION_SCHEDULED: Template = mail::template!("account_deletion_scheduled");
/// Notifies a user that the second factor changed or that a recovery code was used.
pub(super) static SECOND_FACTOR_CHANGED: Template = mail::template!("second_factor_changed");

/// The context of [`WELCOME`].
#[derive(Serialize)]
pub(super) struct Welcome<'a> {
    pub(super) name: &'a str,
}

/// The context of [`ACTIVATION`].
#[derive(Serialize)]
pub(super) struct Activation<'a> {
    /// Six digits.
    pub(super) code: &'a str,
    /// The URL that confirms without typing in the code.
    pub(super) link: &'a str,
    /// How long both are valid.
    pub(super) minutes: i64,
}

/// The context of [`ALREADY_REGISTERED`].
#[derive(Serialize)]
pub(super) struct AlreadyRegistered<'a> {
    /// The name in the existing account, not the one that was entered now.
    pub(super) name: &'a str,
}

/// The context of [`PASSWORD_RESET`].
#[derive(Serialize)]
pub(super) struct PasswordReset<'a> {
    pub(super) name: &'a str,
    /// The URL of the page that sets a new password.
    pub(super) link: &'a str,
    /// The names of the identity providers that the user can sign in with.
    pub(super) linked: &'a [String],
    /// How long it is valid.
    pub(super) minutes: i64,
}

/// The context of [`PASSWORD_CHANGED`].
#[derive(Serialize)]
pub(super) struct PasswordChanged<'a> {
    pub(super) name: &'a str,
    /// The names of the identity providers that the user can still sign in with.
    pub(super) linked: &'a [String],
    pub(super) at: DateTime<Utc>,
}

/// The context of [`IDENTITY_CHANGED`].
#[derive(Serialize)]
pub(super) struct IdentityChanged<'a> {
    pub(super) name: &'a str,
    /// The name of the identity provider.
    pub(super) provider: &'a str,
    /// Whether the account is linked now.
    pub(super) linked: bool,
    pub(super) at: DateTime<Utc>,
}

/// The context of [`API_TOKEN_CREATED`].
#[derive(Serialize)]
pub(super) struct ApiTokenCreated<'a> {
    pub(super) name: &'a str,
    /// The name of the token.
    pub(super) token_name: &'a str,
    pub(super) at: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
}

/// The context of [`EMAIL_CHANGE_CONFIRM`].
#[derive(Serialize)]
pub(super) struct EmailChangeConfirm<'a> {
    /// Six digits.
    pub(super) code: &'a str,
    /// The URL that confirms without typing in the code.
    pub(super) link: &'a str,
    /// How long both are valid.
    pub(super) minutes: i64,
}

/// The context of [`EMAIL_CHANGE_NOTICE`].
#[derive(Serialize)]
pub(super) struct EmailChangeNotice<'a> {
    pub(super) name: &'a str,
    pub(super) new_email: &'a str,
    /// When the change was requested.
    pub(super) at: DateTime<Utc>,
}

/// The context of [`SESSION_STOLEN`].
#[derive(Serialize)]
pub(super) struct SessionStolen<'a> {
    pub(super) name: &'a str,
    /// The device that reused the token: "Firefox on Linux".
    pub(super) device: &'a str,
    /// The IP address of that device.
    pub(super) ip: &'a str,
    /// When the token was reused.
    pub(super) at: DateTime<Utc>,
}

/// The context of [`ACCOUNT_BANNED`].
#[derive(Serialize)]
pub(super) struct AccountBanned<'a> {
    pub(super) name: &'a str,
    /// The reason, a full sentence.
    pub(super) reason: &'a str,
    /// When the ban ends; `None` if it is permanent.
    pub(super) until: Option<DateTime<Utc>>,
}

/// The context of [`TEAM_INVITATION`].
#[derive(Serialize)]
pub(super) struct TeamInvitation<'a> {
    /// The name that the administrator entered.
    pub(super) name: &'a str,
    pub(super) role: Role,
    /// The URL of the page that accepts the invitation.
    pub(super) link: &'a str,
    pub(super) until: DateTime<Utc>,
}

/// The context of [`ROLE_CHANGED`].
#[derive(Serialize)]
pub(super) struct RoleChanged<'a> {
    pub(super) name: &'a str,
    /// The new role.
    pub(super) role: Role,
}

/// The context of [`ACCOUNT_DELETION_SCHEDULED`].
#[derive(Serialize)]
pub(super) struct AccountDeletionScheduled<'a> {
    pub(super) name: &'a str,
    /// Until when the deletion can be canceled.
    pub(super) until: DateTime<Utc>,
}

/// The context of [`SECOND_FACTOR_CHANGED`].
#[derive(Serialize)]
pub(super) struct SecondFactorChanged<'a> {
    pub(super) name: &'a str,
    pub(super) at: DateTime<Utc>,
    #[serde(flatten)]
    pub(super) change: SecondFactorChange,
}

/// What happened to the second factor.
#[derive(Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub(super) enum SecondFactorChange {
    Enabled,
    Disabled,
    CodesRenewed,
    RecoveryCodeUsed {
        /// How many codes are left.
        left: i64,
    },
}

/// Returns samples of all emails of this feature, one for each case.
pub fn mails() -> Vec<Sample> {
    let (name, code, minutes) = ("Ada Lovelace", "428571", 30);
    let link = "https://learn.example/confirm?token=lQ2x7Zr0Vb4nT9cKw1yHs6";
    // 2026-11-20, 09:00 UTC.
    let at = DateTime::from_timestamp(1_795_165_200, 0).unwrap_or_default();
    let until = at + chrono::TimeDelta::days(30);
    let banned = |until| AccountBanned { name, reason: "Advertisements in several discussions.", until };
    let invited = |role| TeamInvitation { name, role, link, until: at + chrono::TimeDelta::days(7) };
    let second = |change| SecondFactorChanged { name, at, change };
    let used = |left| second(SecondFactorChange::RecoveryCodeUsed { left });
    let linked = ["Google".to_owned(), "GitHub".to_owned()];
    let (device, ip, new_email) = ("Firefox on Linux", "203.0.113.7", "ada@new.example");
    vec![
        Sample::new(&WELCOME, "", Welcome { name }),
        Sample::new(&ACTIVATION, "", Activation { code, link, minutes }),
        Sample::new(&ALREADY_REGISTERED, "", AlreadyRegistered { name }),
        Sample::new(&PASSWORD_RESET, "", PasswordReset { name, link, linked: &[], minutes }),
        Sample::new(&PASSWORD_RESET, "linked", PasswordReset { name, link, linked: &linked, minutes }),
        Sample::new(&PASSWORD_CHANGED, "", PasswordChanged { name, linked: &[], at }),
        Sample::new(&PASSWORD_CHANGED, "linked", PasswordChanged { name, linked: &linked, at }),
        Sample::new(&IDENTITY_CHANGED, "linked", IdentityChanged { name, provider: "Google", linked: true, at }),
        Sample::new(&IDENTITY_CHANGED, "unlinked", IdentityChanged { name, provider: "Google", linked: false, at }),
        Sample::new(&EMAIL_CHANGE_CONFIRM, "", EmailChangeConfirm { code, link, minutes }),
        Sample::new(&EMAIL_CHANGE_NOTICE, "", EmailChangeNotice { name, new_email, at }),
        Sample::new(&SESSION_STOLEN, "", SessionStolen { name, device, ip, at }),
        Sample::new(&API_TOKEN_CREATED, "", ApiTokenCreated { name, token_name: "Nightly report", at, until }),
        Sample::new(&ACCOUNT_BANNED, "for a time", banned(Some(until))),
        Sample::new(&ACCOUNT_BANNED, "for good", banned(None)),
        Sample::new(&TEAM_INVITATION, "instructor", invited(Role::Instructor)),
        Sample::new(&TEAM_INVITATION, "administrator", invited(Role::Admin)),
        Sample::new(&ROLE_CHANGED, "student", RoleChanged { name, role: Role::Student }),
        Sample::new(&ROLE_CHANGED, "instructor", RoleChanged { name, role: Role::Instructor }),
        Sample::new(&ROLE_CHANGED, "administrator", RoleChanged { name, role: Role::Admin }),
        Sample::new(&ACCOUNT_DELETION_SCHEDULED, "", AccountDeletionScheduled { name, until }),
        Sample::new(&SECOND_FACTOR_CHANGED, "enabled", second(SecondFactorChange::Enabled)),
        Sample::new(&SECOND_FACTOR_CHANGED, "disabled", second(SecondFactorChange::Disabled)),
        Sample::new(&SECOND_FACTOR_CHANGED, "recovery codes renewed", second(SecondFactorChange::CodesRenewed)),
        Sample::new(&SECOND_FACTOR_CHANGED, "recovery code used", used(7)),
        Sample::new(&SECOND_FACTOR_CHANGED, "one recovery code left", used(1)),
        Sample::new(&SECOND_FACTOR_CHANGED, "last recovery code used", used(0)),
    ]
}
