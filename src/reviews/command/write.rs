//! Commands that write reviews.

use std::sync::Arc;

use super::rate::{is_refunded, rate};
use crate::accounts::viewer;
use crate::catalog;
use crate::discussions::{self, LONGEST_BODY, Post, PostId, PostKind, Subject};
use crate::graphql::error::{Check, Edit, UserErrorCode};
use crate::graphql::idempotency::{Turn, gone};
use crate::graphql::loaders::Loaders;
use crate::graphql::{Error, Result};
use crate::platform::auth::Actor;
use crate::platform::outbox;
use crate::reviews::event::ReviewPosted;
use crate::reviews::model::{CreateReviewInput, NewReview, Review, ReviewChanges, UpdateReviewInput};
use crate::reviews::{error, policy, query};

/// A review that was written.
pub struct Reviewed {
    /// The post.
    pub post: Arc<Post>,
    /// The review.
    pub review: Arc<Review>,
    /// The course, with what the author may do.
    pub subject: Arc<Subject>,
}

/// Reviews a course. A user has one review of a course.
///
/// # Errors
/// The input is invalid; the actor is not entitled to the course, or has reviewed it.
pub async fn create_review(loaders: &Loaders, actor: &Actor, input: CreateReviewInput) -> Result<Reviewed> {
    let (app, user) = (loaders.app(), viewer(actor)?);
    let subject = Subject::load(loaders, actor, input.course_id, None).await?.ok_or_else(error::no_such_course)?;
    let mut check = Check::new();
    let stars = check_stars(&mut check, input.stars);
    let body = check.required_text("body", &input.body, LONGEST_BODY);
    check.finish()?;
    if !policy::can_review(&subject.rights) {
        return Err(error::not_entitled());
    }
    let held = discussions::held(loaders, &subject, ["", &body]).await?;
    let path = catalog::category_path(loaders, subject.course.category_id).await?;
    let (post, review) = app
        .db
        .transaction(async |tx| {
            let claimed = match input.once.claim::<Review>(tx, app, user.uuid(), "createReview", &input).await? {
                Turn::Create(claimed) => claimed,
                Turn::Repeat(id) => {
                    let post = discussions::post_by_id(tx, id.uuid()).await?.ok_or_else(gone)?;
                    return Ok((post, query::by_id(tx, id.uuid()).await?.ok_or_else(gone)?));
                }
            };
            let post = discussions::write_post(tx, app, &subject, (PostKind::Review, &body), held).await?;
            let new = NewReview {
                post_id: post.id,
                course_id: post.course_id,
                author_id: user,
                stars,
                is_shown: post.is_shown(),
                // The user is locked now, and their access may have ended since it was checked.
                is_refunded: is_refunded(tx, app, user, post.course_id, &path).await?,
            };
            let review = query::insert(tx, new).await?.ok_or_else(error::reviewed_already)?;
            claimed.keep(tx, post.id).await?;
            if post.is_shown() {
                outbox::record(tx, &app.clock, &ReviewPosted::of(&post)).await?;
            }
            catalog::rating_changed(tx, post.course_id, None, review.rating.counted()).await?;
            Ok::<_, Error>((post, review))
        })
        .await?;
    Ok(Reviewed { post: Arc::new(post), review: Arc::new(review), subject })
}

/// Changes a review. Its earlier text stays visible to its author and the course's team.
///
/// # Errors
/// The input is invalid; there is no such review; the actor has not written it, or is in the course's team.
pub async fn update_review(loaders: &Loaders, actor: &Actor, input: UpdateReviewInput) -> Result<Edit<Reviewed>> {
    let (app, id) = (loaders.app(), input.review_id.uuid());
    let found = discussions::find_post(loaders, actor, PostId { kind: PostKind::Review, id }).await?;
    let (_, subject) = found.ok_or_else(error::no_such_review)?;
    let mut check = Check::new();
    let stars = input.stars.map(|stars| check_stars(&mut check, stars));
    let body = input.body.as_ref().map(|body| check.required_text("body", body, LONGEST_BODY));
    check.finish()?;
    if stars.is_none() && body.is_none() {
        return Err(error::nothing_to_change());
    }
    let held = discussions::held(loaders, &subject, ["", body.as_deref().unwrap_or_default()]).await?;
    let (edited, review) = app
        .db
        .transaction(async |tx| {
            let place = (id, input.version, "reviewId");
            let edited = discussions::edit_post(tx, app, &subject, place, body.as_deref(), held).await?;
            if let (Edit::Saved(_), Some(_)) = (&edited, stars) {
                rate(tx, id, ReviewChanges { stars, ..ReviewChanges::default() }).await?;
            }
            let review = query::by_id(tx, id).await?.ok_or_else(error::no_such_review)?;
            Ok::<_, Error>((edited, review))
        })
        .await?;
    Ok(edited.map(|post| Reviewed { post: Arc::new(post), review: Arc::new(review), subject }))
}

fn check_stars(check: &mut Check, stars: i32) -> i16 {
    let checked = i16::try_from(stars).ok().filter(|stars| (1..=5).contains(stars));
    checked.unwrap_or_else(|| {
        check.error(UserErrorCode::OutOfRange, "stars", "A review has 1 to 5 stars.");
        0
    })
}
