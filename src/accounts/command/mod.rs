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

pub use api_token::{api_tokens, create_api_token, revoke_api_token};
pub use audit::{redacted, shown};
pub use background::replay_job;
pub use ban::{ban, unban};
pub use bearer::{authenticate, is_api_token};
pub use bulk::{ban_users, change_roles, unban_users};
pub(crate) use deletion::delete_due;
pub use deletion::{cancel as cancel_deletion, give_up};
pub(crate) use email_change::STATE as EMAIL_CHANGE_STATE;
pub use email_change::{change_email, confirm_email_change, pending as pending_email_change};
pub use export::my_data;
pub use identity::{link_identity, unlink_identity};
pub use import::{import, import_bio};
pub use password::{change_password, has_password, request_password_reset, reset_password};
pub use profile::update_profile;
pub use reauthentication::reauthenticate;
pub use registration::{activate, register, resend_activation};
pub use second_factor::admit;
pub use second_factor::{
    complete, confirm, disable, is_required as second_factor_required, renew_codes, reset, start, state,
};
pub use session::{actor_now, actor_of, is_current, live_sessions, open, viewer, watch_revocations};
pub use session::{refresh, revoke, sessions, sign_out};
pub use sign_in::sign_in;
pub use social::{complete_social, start_social};
pub use team::{Added, accept, add, invitations, revoke_invitation};
pub use user::{change_role, check_email, create_admin, users_after};
