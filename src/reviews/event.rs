//! The events of reviews.

use serde::{Deserialize, Serialize};

use super::model::ReviewId;
use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::platform::outbox::Event;

/// A review has been written, and everybody sees it. One that is held and shown later is not told of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReviewPosted {
    /// The review.
    pub review: ReviewId,
    /// The course.
    pub course: CourseId,
    /// The author.
    pub author: UserId,
}

impl Event for ReviewPosted {
    const KIND: &'static str = "review_posted";
}
