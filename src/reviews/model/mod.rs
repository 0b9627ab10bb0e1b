//! Reviews and their lists.

mod list;
mod review;

pub(super) use list::Which;
pub(crate) use list::{ReviewFilter, ReviewPlace, ReviewSort};
pub use review::{CreateReviewInput, Review, ReviewId, UpdateReviewInput};
pub(super) use review::{NewReview, Rating, ReviewChanges};
