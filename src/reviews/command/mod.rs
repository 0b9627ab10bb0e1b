//! Commands for reviews.

mod export;
mod import;
mod rate;
mod recount;
mod write;

pub use export::my_data;
pub use import::{ImportedReview, import};
pub(crate) use rate::follow_access;
pub use rate::post_hook;
pub(crate) use recount::recount_ratings;
pub use write::{Reviewed, create_review, update_review};
