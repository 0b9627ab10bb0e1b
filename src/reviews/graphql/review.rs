//! Reviews in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object};

use crate::accounts::UserId;
use crate::catalog::{CourseId, CourseObject};
use crate::discussions::{PostById, PostFields, PostId, PostKind, ReplyObject, Subject, response_to, visible_post};
use crate::graphql::context::{loaders, viewer_loaders, within};
use crate::graphql::guard::Scope;
use crate::graphql::{Result, Sequential};
use crate::reviews::loader::{ReviewBy, ReviewById};
use crate::reviews::model::{Review, ReviewId};

/// A review in the schema.
#[derive(Clone)]
pub struct ReviewObject {
    fields: PostFields,
    review: Arc<Review>,
}

impl ReviewObject {
    /// A review whose post the viewer may see.
    pub(super) fn new(fields: PostFields, review: Arc<Review>) -> ReviewObject {
        ReviewObject { fields, review }
    }

    /// The review that a post is; `None` if it was deleted in this moment.
    pub(super) async fn of(ctx: &Context<'_>, fields: PostFields) -> Result<Option<ReviewObject>> {
        let review = loaders(ctx).load(ReviewById(fields.post().id)).await?;
        Ok(review.map(|review| ReviewObject { fields, review }))
    }

    /// The review.
    pub(super) fn row(&self) -> &Review {
        &self.review
    }
}

/// A review of a course. To say that it is helpful, vote for it (`votePost`); `createReply` is the response of the
/// course's team, of which there is one; `deletePost` deletes it with the response, after which its author may write
/// another one.
#[Object(name = "Review")]
impl ReviewObject {
    #[graphql(flatten)]
    async fn fields(&self) -> &PostFields {
        &self.fields
    }

    /// The course.
    async fn course(&self) -> Sequential<CourseObject> {
        Sequential(CourseObject(self.fields.subject().course.clone()))
    }

    /// The stars, 1 to 5. They count in the rating of the course while the review is not hidden, and while its author's
    /// access to the course was not refunded: after a refund that leaves no other access, the text and its stars stay
    /// here but count no longer, until the author has access again. The end of an access for another reason changes
    /// nothing, and neither does the deletion of the author's account: the review stays and counts, without the name
    /// of its author and without its earlier versions.
    async fn stars(&self) -> i16 {
        self.review.rating.stars
    }

    /// The response of the course's team; null if there is none.
    async fn response(&self, ctx: &Context<'_>) -> Result<Option<Sequential<ReplyObject>>> {
        response_to(ctx, &self.fields).await
    }
}

/// Returns the review with this id, if the viewer may see it.
pub(super) async fn review_node(ctx: &Context<'_>, id: ReviewId) -> Result<Option<ReviewObject>> {
    match visible_post(ctx, PostId { kind: PostKind::Review, id: id.uuid() }).await? {
        Some(fields) => ReviewObject::of(ctx, fields).await,
        None => Ok(None),
    }
}

/// Returns the viewer's review of a course.
///
/// # Errors
/// The database failed.
pub async fn viewer_review(ctx: &Context<'_>, course: CourseId) -> Result<Option<Sequential<ReviewObject>>> {
    let reader = within(ctx, Scope::ReadDiscussions);
    let Some(user) = reader.id().map(UserId::new) else { return Ok(None) };
    let Some(review) = viewer_loaders(ctx).load(ReviewBy(course, user)).await? else { return Ok(None) };
    let Some(subject) = Subject::load(loaders(ctx), reader, course, None).await? else { return Ok(None) };
    let post = loaders(ctx).load(PostById(review.post_id)).await?;
    Ok(post.map(|post| Sequential(ReviewObject { fields: PostFields::new(post, subject), review })))
}
