//! What can be done with accounts, sessions and API tokens.

mod api_token;
mod bearer;
mod identity;
mod second_factor;
mod session;
mod sign_in;
mod social;
mod user;

pub(super) use api_token::{api_tokens, create_api_token, revoke_api_token};
pub use bearer::{authenticate, is_api_token};
pub(super) use identity::{link_identity, sweep_attempts, unlink_identity};
pub use second_factor::admit;
pub(super) use second_factor::{complete, confirm, disable, renew_codes, reset, start, state};
pub use session::{is_current, watch_revocations};
pub(super) use session::{refresh, revoke, sessions, sign_out, sweep};
pub use sign_in::{open, sign_in};
pub(super) use social::{complete_social, start_social};
pub use user::{change_role, create_admin, import, register};
