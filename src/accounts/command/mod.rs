//! Commands for accounts, sessions and API tokens.

mod api_token;
mod audit;
mod background;
mod ban;
mod bearer;
mod bulk;
mod confirmation;
mod deletion;
mod email_change;
mod export;
mod identity;
mod import;
mod linking;
mod password;
mod profile;
mod reauthentication;
mod registration;
mod second_factor;
mod session;
mod sign_in;
mod social;
mod team;
mod user;

pub(super) use api_token::{api_tokens, create_api_token, revoke_api_token};
pub(super) use audit::{redacted, shown};
pub(super) use background::replay_job;
pub(super) use ban::{ban, unban};
pub use bearer::{authenticate, is_api_token};
pub(super) use bulk::{ban_users, change_roles, unban_users};
pub(super) use deletion::{cancel as cancel_deletion, delete_due, give_up};
pub(super) use email_change::{
    STATE as EMAIL_CHANGE_STATE, change_email, confirm_email_change, pending as pending_email_change,
};
pub use export::my_data;
pub(super) use identity::{link_identity, unlink_identity};
pub use import::{import, import_bio};
pub(super) use password::{change_password, has_password, request_password_reset, reset_password};
pub(super) use profile::update_profile;
pub(super) use reauthentication::reauthenticate;
pub(super) use registration::{activate, register, resend_activation};
pub use second_factor::admit;
pub(super) use second_factor::{
    complete, confirm, disable, is_required as second_factor_required, renew_codes, reset, start, state,
};
pub use session::{actor_now, actor_of, is_current, live_sessions, open, viewer, watch_revocations};
pub(super) use session::{refresh, revoke, sessions, sign_out};
pub use sign_in::sign_in;
pub(super) use social::{complete_social, start_social};
pub(super) use team::{Added, accept, add, invitations, revoke_invitation};
pub use user::{change_role, check_email, create_admin, users_after};
