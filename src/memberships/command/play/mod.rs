//! Memberships that are paid on Google Play.
//!
//! What is true is what Google answers when it is asked about the token of a purchase: when its app confirms it, when a
//! notification comes, at its end, and daily. Google is asked outside of transactions; an answer that comes late is
//! ignored.

mod check;
mod confirm;
mod enroll;
mod product;

pub(crate) use check::check_all;
pub use check::play_told;
pub use confirm::confirm_play_purchase;
pub use product::set_play_product;
