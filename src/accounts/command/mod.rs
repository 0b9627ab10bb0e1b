//! What can be done with accounts and sessions.

mod session;
mod sign_in;
mod user;

pub use session::{is_current, watch_revocations};
pub(super) use session::{refresh, revoke, sessions, sign_out, sweep};
pub use sign_in::{open, sign_in};
pub use user::{change_role, create_admin, import, register};
