//! Commands for access and playback.

mod access;
mod bulk;
mod playback;

pub use access::my_data;
pub(super) use access::{EXPIRE, enroll, expire, expire_due, forget_user, grant, revoke};
pub(super) use bulk::{grant_users, revoke_users};
pub use playback::{Piece, Rejection, piece};
pub(super) use playback::{SILENCE, keep_playing, play};
