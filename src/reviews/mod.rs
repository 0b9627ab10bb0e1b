//! Reviews: one to five stars and a text, by users who have a course.
//!
//! A review is a post of the discussion of its course ([`crate::discussions`]), where it is voted for, reported,
//! moderated, deleted, and answered once by the course's team. This feature has the stars. They count in the course's
//! rating while the review is shown and its author's access was not refunded; whatever changes that, changes the
//! course's statistics in the same transaction.

mod command;
mod error;
mod event;
mod graphql;
mod job;
mod loader;
mod model;
mod policy;
mod query;

pub use command::{Reviewed, create_review, my_data, post_hook, update_review};
pub use event::ReviewPosted;
pub(crate) use graphql::{ReviewConnection, course_reviews};
pub use graphql::{ReviewObject, mutations, nodes, post_types, viewer_review};
pub use job::handlers;
pub use model::{CreateReviewInput, Review, ReviewId, UpdateReviewInput};
pub(crate) use model::{ReviewFilter, ReviewSort};
