//! Commands for accounts, sessions and API tokens.

mod api_token;
mod audit;
mod avatar;
mod ban;
mod bearer;
mod bulk;
mod confirmation;
mod deletion;
mod directory;
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
mod session_list;
mod sign_in;
mod social;
mod team;
mod user;

pub(super) use api_token::{api_tokens, create_api_token, revoke_api_token};
pub(super) use audit::{audit_entries, count_audit_entries, count_security_log, security_log, shown};
pub(super) use avatar::{
    DELETE_OBJECT, PROCESS_AVATAR, complete_upload, create_upload, process as process_avatar,
    process_old as process_old_avatars, remove as remove_avatar, remove_object, sweep_uploads,
};
pub(super) use ban::{ban, unban};
pub use bearer::{authenticate, is_api_token};
pub(super) use bulk::{ban_users, change_roles, unban_users};
pub(super) use deletion::{cancel as cancel_deletion, delete_due, give_up};
pub(super) use directory::{count_users, users};
pub(super) use email_change::{
    STATE as EMAIL_CHANGE_STATE, change_email, confirm_email_change, pending as pending_email_change,
};
pub use export::my_data;
pub(super) use identity::{link_identity, unlink_identity};
pub use import::{import, import_profile};
pub(super) use password::{change_password, has_password, request_password_reset, reset_password};
pub(super) use profile::update_profile;
pub(super) use reauthentication::reauthenticate;
pub(super) use registration::{activate, register, resend_activation};
pub use second_factor::admit;
pub(super) use second_factor::{
    complete, confirm, disable, is_required as second_factor_required, renew_codes, reset, start, state,
};
pub use session::{actor_now, is_current, open, viewer, watch_revocations};
pub(super) use session::{refresh, revoke, sessions, sign_out};
pub(super) use session_list::{all_sessions, count_all_sessions};
pub use sign_in::sign_in;
pub(super) use social::{complete_social, start_social};
pub(super) use team::{Added, accept, add, invitations, revoke_invitation};
pub use user::{change_role, check_email, create_admin};
