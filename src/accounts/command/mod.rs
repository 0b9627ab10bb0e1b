//! What can be done with accounts and sessions.

mod email_change;
mod identity;
mod password;
mod registration;
mod second_factor;
mod session;
mod sign_in;
mod social;
mod user;

pub(super) use email_change::{STATE as EMAIL_CHANGE_STATE, change_email, confirm_email_change};
pub(super) use identity::{link_identity, sweep_attempts, unlink_identity};
pub(super) use password::{change_password, request_password_reset, reset_password};
pub(super) use registration::{activate, register, resend_activation, sweep as sweep_registrations};
pub use second_factor::admit;
pub(super) use second_factor::{complete, confirm, disable, renew_codes, reset, start, state};
pub use session::{is_current, watch_revocations};
pub(super) use session::{refresh, revoke, sessions, sign_out, sweep};
pub use sign_in::{open, sign_in};
pub(super) use social::{complete_social, start_social};
pub use user::{change_role, create_admin, import};
