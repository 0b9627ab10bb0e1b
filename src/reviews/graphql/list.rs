//! Lists of reviews.

use std::sync::Arc;

use async_graphql::Context;
use futures_util::future::try_join_all;

use super::review::ReviewObject;
use crate::catalog::Course;
use crate::discussions::{PostById, PostFields, Subject};
use crate::graphql::context::{loaders, within};
use crate::graphql::guard::Scope;
use crate::graphql::page::wants_total;
use crate::graphql::{Connection, PageArgs, Result, Sequential};
use crate::reviews::loader::{ReviewCount, ReviewPage};
use crate::reviews::model::{ReviewFilter, ReviewSort, Which};

/// A page of reviews.
pub(crate) type ReviewConnection = Connection<ReviewObject>;

/// Returns the reviews of a course; none if the viewer may not see the course.
pub(crate) async fn course_reviews(
    ctx: &Context<'_>,
    course: &Course,
    (filter, sort): (Option<ReviewFilter>, ReviewSort),
    args: PageArgs,
) -> Result<Sequential<ReviewConnection>> {
    let page = sort.page(args)?;
    let cursor = move |review: &ReviewObject| sort.cursor(review.row());
    let Some(subject) = Subject::load(loaders(ctx), within(ctx, Scope::ReadDiscussions), course.id, None).await? else {
        return Ok(Sequential(page.connection(Vec::new(), |review| review, cursor)));
    };
    let stars = filter.and_then(|filter| filter.stars);
    let which = Arc::new(Which { course: course.id, seer: subject.rights.seer(), stars });
    let rows = loaders(ctx).load(ReviewPage(which.clone(), sort, page.clone())).await?.unwrap_or_default();
    let posts = try_join_all(rows.iter().map(|row| loaders(ctx).load(PostById(row.post_id)))).await?;
    // A review that was deleted in this moment has no post.
    let found = rows.into_iter().zip(posts).filter_map(|(row, post)| Some((row, post?))).collect();
    let review = |(row, post)| ReviewObject::new(PostFields::new(post, subject.clone()), row);
    let connection = page.connection(found, review, cursor);
    if !wants_total(ctx) {
        return Ok(Sequential(connection));
    }
    let total = loaders(ctx).load(ReviewCount(which)).await?.unwrap_or_default();
    Ok(Sequential(connection.with_total(total)))
}
