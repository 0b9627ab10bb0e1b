//! Reviews: one to five stars and a text, by users who have a course.
//!
//! A review is a post of the discussion of its course ([`crate::discussions`]), where it is voted for, reported,
//! moderated, deleted, and answered once by the course's team. This feature has the stars. They count in the course's
//! rating while the review is shown and its author's access was not refunded; whatever changes that, changes the
//! course's statistics in the same transaction.

use crate as reviews;
use lyceum_accounts as accounts;
use lyceum_catalog as catalog;
use lyceum_discussions as discussions;
use lyceum_entitlements as entitlements;
use lyceum_graphql as graphql;
use lyceum_platform as platform;

pub mod command;
pub mod error;
mod event;
mod job;
pub mod loader;
pub mod model;
mod policy;
mod query;

pub use command::{ImportedReview, Reviewed, create_review, import, my_data, post_hook, update_review};
pub use event::ReviewPosted;
pub use job::handlers;
pub use model::{CreateReviewInput, Review, ReviewFilter, ReviewId, ReviewSort, UpdateReviewInput};
