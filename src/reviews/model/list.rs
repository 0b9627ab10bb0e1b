//! Lists of reviews: what is in them, and their order.

use async_graphql::{Enum, InputObject};
use uuid::Uuid;

use super::Review;
use crate::catalog::CourseId;
use crate::discussions::Seer;
use crate::graphql::Result;
use crate::graphql::page::{Page, PageArgs, encode_cursor};

/// A filter for reviews. Omitted fields restrict nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, InputObject)]
pub struct ReviewFilter {
    /// Reviews with one of these numbers of stars, at most five of them.
    #[graphql(validator(max_items = 5))]
    pub stars: Option<Vec<i32>>,
}

/// The order of reviews.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum ReviewSort {
    /// The latest review first.
    #[default]
    Newest,
    /// The review with the most votes first. A new vote counts after a second or two.
    MostHelpful,
}

/// The position of a review in an order: the number of its votes, which is 0 in the order of time, and the id.
pub type ReviewPlace = (i32, Uuid);

impl ReviewSort {
    /// The name of the list in its cursors.
    fn list(self) -> &'static str {
        match self {
            ReviewSort::Newest => "reviews",
            ReviewSort::MostHelpful => "reviews by votes",
        }
    }

    /// Returns the requested page.
    ///
    /// # Errors
    /// A cursor belongs to another list or order.
    pub fn page(self, args: PageArgs) -> Result<Page<ReviewPlace>> {
        args.page(self.list())
    }

    /// The cursor of a review.
    pub fn cursor(self, review: &Review) -> String {
        let votes = match self {
            ReviewSort::Newest => 0,
            ReviewSort::MostHelpful => review.votes,
        };
        encode_cursor(self.list(), &(votes, review.post_id))
    }
}

/// The reviews in a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Which {
    /// The course.
    pub course: CourseId,
    /// Who reads.
    pub seer: Seer,
    /// The numbers of stars; `None` for any.
    pub stars: Option<Vec<i32>>,
}
