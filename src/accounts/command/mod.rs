//! What can be done with accounts, sessions and API tokens.

mod api_token;
mod audit;
mod avatar;
mod ban;
mod bearer;
mod deletion;
mod directory;
mod export;
mod identity;
mod profile;
mod second_factor;
mod session;
mod sign_in;
mod social;
mod user;

pub(super) use api_token::{api_tokens, create_api_token, revoke_api_token};
pub(super) use audit::{audit_entries, count_audit_entries};
pub(super) use avatar::{DELETE_OBJECT, complete_upload, create_upload, remove as remove_avatar, sweep_uploads};
pub(super) use ban::{ban, unban};
pub use bearer::{authenticate, is_api_token};
pub(super) use deletion::{cancel as cancel_deletion, delete_due, give_up};
pub(super) use directory::{count_users, users};
pub use export::my_data;
pub(super) use identity::{link_identity, sweep_attempts, unlink_identity};
pub(super) use profile::update_profile;
pub use second_factor::admit;
pub(super) use second_factor::{complete, confirm, disable, renew_codes, reset, start, state};
pub use session::{is_current, watch_revocations};
pub(super) use session::{refresh, revoke, sessions, sign_out, sweep};
pub use sign_in::{open, sign_in};
pub(super) use social::{complete_social, start_social};
pub use user::{change_role, create_admin, import, register};
