//! Reviews and the inputs of the mutations.

use async_graphql::InputObject;
use diesel::prelude::*;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::graphql::{Entity, Id, Idempotency};
use crate::platform::db::schema::reviews;

/// A review's id: `review_01j…`.
pub type ReviewId = Id<Review>;

/// What a review has besides its post.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = reviews, check_for_backend(diesel::pg::Pg))]
pub struct Review {
    /// The id of the post.
    pub post_id: Uuid,
    /// The author.
    pub author_id: UserId,
    /// The rating, and whether it counts.
    #[diesel(embed)]
    pub rating: Rating,
    /// The number of votes by which it is sorted: a second old at most.
    pub votes: i32,
}

impl Entity for Review {
    const PREFIX: &'static str = "review";
}

/// The rating of a course by a review, and what decides whether it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = reviews, check_for_backend(diesel::pg::Pg))]
pub struct Rating {
    /// The course.
    pub course_id: CourseId,
    /// The stars, 1 to 5.
    pub stars: i16,
    /// Whether everybody sees the review.
    pub is_shown: bool,
    /// Whether the author's access was refunded.
    pub is_refunded: bool,
}

impl Rating {
    /// The stars if they count in the course's rating.
    pub fn counted(&self) -> Option<i16> {
        (self.is_shown && !self.is_refunded).then_some(self.stars)
    }
}

/// A review to insert.
#[derive(Insertable)]
#[diesel(table_name = reviews)]
pub(crate) struct NewReview {
    pub post_id: Uuid,
    pub(crate) course_id: CourseId,
    pub(crate) author_id: UserId,
    pub stars: i16,
    pub(crate) is_shown: bool,
    pub(crate) is_refunded: bool,
}

/// Changes of a rating; `None` stays unchanged. There is at least one.
#[derive(AsChangeset, Clone, Copy, Debug, Default)]
#[diesel(table_name = reviews)]
pub(crate) struct ReviewChanges {
    pub stars: Option<i16>,
    pub(crate) is_shown: Option<bool>,
    pub(crate) is_refunded: Option<bool>,
}

/// The input of `createReview`.
#[derive(Clone, Debug, InputObject)]
pub struct CreateReviewInput {
    /// The course.
    pub course_id: CourseId,
    /// The stars, 1 to 5.
    pub stars: i32,
    /// The review in Markdown, 1 to 10,000 characters.
    pub body: String,
    /// Identifies this request.
    #[graphql(flatten)]
    pub once: Idempotency,
}

/// The input of `updateReview`. Omitted fields stay unchanged.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateReviewInput {
    /// The review.
    pub review_id: ReviewId,
    /// The version that the changes are based on. If it is stale, nothing is changed and the error is CONFLICT.
    pub version: i32,
    /// The stars, 1 to 5.
    pub stars: Option<i32>,
    /// The review in Markdown, 1 to 10,000 characters.
    pub body: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_count_while_the_review_is_shown_and_the_access_was_not_refunded() {
        for (is_shown, is_refunded, counted) in
            [(true, false, Some(4)), (false, false, None), (true, true, None), (false, true, None)]
        {
            let rating = Rating { course_id: Id::new(Uuid::nil()), stars: 4, is_shown, is_refunded };
            assert_eq!(rating.counted(), counted, "{rating:?}");
        }
    }
}
