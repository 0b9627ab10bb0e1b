//! Keeps the rating of a course equal to the reviews that count.

use futures_util::FutureExt;
use uuid::Uuid;

use crate::accounts::{self, UserId};
use crate::catalog::{self, CourseById, CourseId};
use crate::discussions::{Post, PostChange, PostHook, PostKind};
use crate::entitlements;
use crate::graphql::loaders::{Load, Loaders};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;
use crate::reviews::event::ReviewPosted;
use crate::reviews::model::ReviewChanges;
use crate::reviews::{policy, query};

/// The most reviews of a user that one job looks at.
const MOST: i64 = 10_000;

/// Changes a rating and the statistics of its course. Call this last in a transaction.
pub(super) async fn rate(tx: &mut Tx, id: Uuid, changes: ReviewChanges) -> Result<(), InternalError> {
    match query::change(tx, id, changes).await? {
        Some((old, new)) => catalog::rating_changed(tx, new.course_id, old.counted(), new.counted()).await,
        None => Ok(()),
    }
}

/// Returns the function that follows what happens to reviews as posts.
pub fn post_hook() -> PostHook {
    PostHook { kind: PostKind::Review, changed: |tx, app, post, change| follow_post(tx, app, post, change).boxed() }
}

/// Follows what happens to a review as a post, in the transaction in which it happens.
async fn follow_post(tx: &mut Tx, app: &App, post: &Post, change: PostChange) -> Result<(), InternalError> {
    let shown = |is_shown| ReviewChanges { is_shown: Some(is_shown), ..ReviewChanges::default() };
    match change {
        PostChange::Hidden => rate(tx, post.id, shown(false)).await,
        PostChange::Shown => {
            if post.was_held() {
                outbox::record(tx, &app.clock, &ReviewPosted::of(post)).await?;
            }
            rate(tx, post.id, shown(true)).await
        }
        PostChange::Deleted => match query::delete(tx, post.id).await? {
            Some(old) => catalog::rating_changed(tx, old.course_id, old.counted(), None).await,
            None => Ok(()),
        },
        PostChange::Counted => {
            query::set_votes(tx, post.id, post.stats.vote_count).await?;
            Ok(())
        }
    }
}

/// Lets the stars of a user's reviews count or not, after access was refunded or has returned: to a course, or, if
/// that is `None`, to a category or everything.
///
/// # Errors
/// The database failed.
pub(crate) async fn follow_access(app: &App, user: UserId, course: Option<CourseId>) -> Result<(), InternalError> {
    let reviews = query::latest_of(&mut *app.db.read().await?, user, course, MOST).await?;
    for review in reviews {
        let course = review.rating.course_id;
        let Some(row) = CourseById(course).load_one(app).await? else { continue };
        let path = catalog::category_path(&Loaders::new(app.clone()), row.category_id).await?;
        app.db
            .transaction(async |tx| {
                accounts::lock_user(tx, user).await?;
                let is_refunded = is_refunded(tx, app, user, course, &path).await?;
                rate(tx, review.post_id, ReviewChanges { is_refunded: Some(is_refunded), ..Default::default() }).await
            })
            .await?;
    }
    Ok(())
}

/// Whether the access of a locked user to a course, whose category has the path `path`, was refunded.
pub(super) async fn is_refunded(
    tx: &mut Tx,
    app: &App,
    user: UserId,
    course: CourseId,
    path: &[Uuid],
) -> Result<bool, InternalError> {
    let ledger = entitlements::ledger(tx, user, course.uuid()).await?;
    Ok(policy::is_refunded(&ledger, course.uuid(), path, app.clock.now()))
}
