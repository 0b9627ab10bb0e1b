//! The mails of this feature: what each is given, and an example of it.
//!
//! [`Activation`] and [`EmailChangeConfirm`] go to addresses that nobody has confirmed. They don't greet by name: a
//! stranger could put an advertisement into the name and have us deliver it.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::platform::auth::Role;
use crate::platform::mail::{self, Sample, Template};

/// Somebody has an account now.
pub(super) static WELCOME: Template = mail::template!("welcome");
/// Somebody registered and has to show that the address is theirs.
pub(super) static ACTIVATION: Template = mail::template!("activation");
/// Somebody registered with an address that has an account, or wants to change theirs to it.
pub(super) static ALREADY_REGISTERED: Template = mail::template!("already_registered");
/// Somebody has forgotten the password.
pub(super) static PASSWORD_RESET: Template = mail::template!("password_reset");
/// The password is another one now.
pub(super) static PASSWORD_CHANGED: Template = mail::template!("password_changed");
/// To the new address, when somebody asks to change it.
pub(super) static EMAIL_CHANGE_CONFIRM: Template = mail::template!("email_change_confirm");
/// To the old address, at the same moment: its owner can still prevent it.
pub(super) static EMAIL_CHANGE_NOTICE: Template = mail::template!("email_change_notice");
/// A refresh token came twice.
pub(super) static SESSION_STOLEN: Template = mail::template!("session_stolen");
/// A program can act for the user from now on.
pub(super) static API_TOKEN_CREATED: Template = mail::template!("api_token_created");
/// An administrator has shut somebody out.
pub(super) static ACCOUNT_BANNED: Template = mail::template!("account_banned");
/// Somebody without an account is to join the team.
pub(super) static TEAM_INVITATION: Template = mail::template!("team_invitation");
/// An administrator gave somebody another role.
pub(super) static ROLE_CHANGED: Template = mail::template!("role_changed");
/// Somebody asked to be deleted.
pub(super) static ACCOUNT_DELETION_SCHEDULED: Template = mail::template!("account_deletion_scheduled");
/// The second factor was switched, or a recovery code taken for it.
pub(super) static SECOND_FACTOR_CHANGED: Template = mail::template!("second_factor_changed");

/// For [`WELCOME`].
#[derive(Serialize)]
pub(super) struct Welcome<'a> {
    pub(super) name: &'a str,
}

/// For [`ACTIVATION`].
#[derive(Serialize)]
pub(super) struct Activation<'a> {
    /// Six digits.
    pub(super) code: &'a str,
    /// Does what typing in the code does.
    pub(super) link: &'a str,
    /// How long both are valid.
    pub(super) minutes: i64,
}

/// For [`ALREADY_REGISTERED`].
#[derive(Serialize)]
pub(super) struct AlreadyRegistered<'a> {
    /// The name in the account, not the one that was given now.
    pub(super) name: &'a str,
}

/// For [`PASSWORD_RESET`].
#[derive(Serialize)]
pub(super) struct PasswordReset<'a> {
    pub(super) name: &'a str,
    /// Where the new password is chosen.
    pub(super) link: &'a str,
    /// How long it is valid.
    pub(super) minutes: i64,
}

/// For [`PASSWORD_CHANGED`].
#[derive(Serialize)]
pub(super) struct PasswordChanged<'a> {
    pub(super) name: &'a str,
    pub(super) at: DateTime<Utc>,
}

/// For [`API_TOKEN_CREATED`].
#[derive(Serialize)]
pub(super) struct ApiTokenCreated<'a> {
    pub(super) name: &'a str,
    /// What its owner calls it.
    pub(super) token_name: &'a str,
    pub(super) at: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
}

/// For [`EMAIL_CHANGE_CONFIRM`].
#[derive(Serialize)]
pub(super) struct EmailChangeConfirm<'a> {
    /// Six digits.
    pub(super) code: &'a str,
    /// Does what typing in the code does.
    pub(super) link: &'a str,
    /// How long both are valid.
    pub(super) minutes: i64,
}

/// For [`EMAIL_CHANGE_NOTICE`].
#[derive(Serialize)]
pub(super) struct EmailChangeNotice<'a> {
    pub(super) name: &'a str,
    pub(super) new_email: &'a str,
    /// When it was asked for.
    pub(super) at: DateTime<Utc>,
}

/// For [`SESSION_STOLEN`].
#[derive(Serialize)]
pub(super) struct SessionStolen<'a> {
    pub(super) name: &'a str,
    /// What used it the second time: "Firefox on Linux".
    pub(super) device: &'a str,
    /// From where.
    pub(super) ip: &'a str,
    /// When.
    pub(super) at: DateTime<Utc>,
}

/// For [`ACCOUNT_BANNED`].
#[derive(Serialize)]
pub(super) struct AccountBanned<'a> {
    pub(super) name: &'a str,
    /// A sentence.
    pub(super) reason: &'a str,
    /// `None` is for good.
    pub(super) until: Option<DateTime<Utc>>,
}

/// For [`TEAM_INVITATION`].
#[derive(Serialize)]
pub(super) struct TeamInvitation<'a> {
    /// As the administrator wrote it.
    pub(super) name: &'a str,
    pub(super) role: Role,
    /// Where the account is made.
    pub(super) link: &'a str,
    pub(super) until: DateTime<Utc>,
}

/// For [`ROLE_CHANGED`].
#[derive(Serialize)]
pub(super) struct RoleChanged<'a> {
    pub(super) name: &'a str,
    /// The new one.
    pub(super) role: Role,
}

/// For [`ACCOUNT_DELETION_SCHEDULED`].
#[derive(Serialize)]
pub(super) struct AccountDeletionScheduled<'a> {
    pub(super) name: &'a str,
    /// Until when it can be undone.
    pub(super) until: DateTime<Utc>,
}

/// For [`SECOND_FACTOR_CHANGED`].
#[derive(Serialize)]
pub(super) struct SecondFactorChanged<'a> {
    pub(super) name: &'a str,
    pub(super) at: DateTime<Utc>,
    #[serde(flatten)]
    pub(super) change: SecondFactorChange,
}

/// What happened to it.
#[derive(Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub(super) enum SecondFactorChange {
    Enabled,
    Disabled,
    RecoveryCodeUsed {
        /// How many codes are left.
        left: i64,
    },
}

/// The mails of this feature, with an example of each case.
pub fn mails() -> Vec<Sample> {
    let (name, code, minutes) = ("Ada Lovelace", "428571", 30);
    let link = "https://learn.example/confirm?token=lQ2x7Zr0Vb4nT9cKw1yHs6";
    // 20 November 2026, nine o'clock.
    let at = DateTime::from_timestamp(1_795_165_200, 0).unwrap_or_default();
    let until = at + chrono::TimeDelta::days(30);
    let banned = |until| AccountBanned { name, reason: "Advertisements in several discussions.", until };
    let invited = |role| TeamInvitation { name, role, link, until: at + chrono::TimeDelta::days(7) };
    let second = |change| SecondFactorChanged { name, at, change };
    let used = |left| second(SecondFactorChange::RecoveryCodeUsed { left });
    let (device, ip, new_email) = ("Firefox on Linux", "203.0.113.7", "ada@new.example");
    vec![
        Sample::new(&WELCOME, "", Welcome { name }),
        Sample::new(&ACTIVATION, "", Activation { code, link, minutes }),
        Sample::new(&ALREADY_REGISTERED, "", AlreadyRegistered { name }),
        Sample::new(&PASSWORD_RESET, "", PasswordReset { name, link, minutes }),
        Sample::new(&PASSWORD_CHANGED, "", PasswordChanged { name, at }),
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
        Sample::new(&SECOND_FACTOR_CHANGED, "recovery code used", used(7)),
        Sample::new(&SECOND_FACTOR_CHANGED, "one recovery code left", used(1)),
        Sample::new(&SECOND_FACTOR_CHANGED, "last recovery code used", used(0)),
    ]
}
