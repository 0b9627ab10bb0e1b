//! Commands for access and playback.

mod access;
mod playback;

pub(super) use access::{EXPIRE, expire, expire_due, forget_user, revoke};
pub use access::{enroll, grant, my_data};
pub use playback::{Piece, Rejection, piece};
pub(super) use playback::{SILENCE, keep_playing, play};
