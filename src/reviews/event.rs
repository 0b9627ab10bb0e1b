//! The events of reviews.

use serde::{Deserialize, Serialize};

use super::model::ReviewId;
use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::discussions::Post;
use crate::platform::outbox::Event;

/// A review has been written, and everybody sees it: when it is written, or when it was held and is shown for the first time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReviewPosted {
    /// The review.
    pub review: ReviewId,
    /// The course.
    pub course: CourseId,
    /// The author.
    pub author: UserId,
}

impl ReviewPosted {
    /// The event of a review, by its post.
    pub fn of(post: &Post) -> ReviewPosted {
        ReviewPosted { review: ReviewId::new(post.id), course: post.course_id, author: post.author_id }
    }
}

impl Event for ReviewPosted {
    const KIND: &'static str = "review_posted";
}
