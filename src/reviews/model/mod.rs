//! Reviews and their lists.

mod list;
mod review;

pub use list::Which;
pub use list::{ReviewFilter, ReviewPlace, ReviewSort};
pub use review::{CreateReviewInput, Review, ReviewId, UpdateReviewInput};
pub(crate) use review::{NewReview, Rating, ReviewChanges};
