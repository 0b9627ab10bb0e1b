//! Commands for access and playback.

mod access;
mod bulk;
mod playback;

pub(super) use access::{EXPIRE, expire, expire_due, forget_user, revoke};
pub use access::{enroll, grant, import, my_data};
pub(super) use bulk::{grant_users, revoke_users};
pub use playback::{Piece, Rejection, piece};
pub(super) use playback::{SILENCE, keep_playing, play};
