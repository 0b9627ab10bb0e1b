//! Tells by email what has been asked and answered.

use serde_json::json;
use uuid::Uuid;

use super::find::{Found, find};
use crate::accounts::{self, UserById, UserId};
use crate::catalog::{self, CourseById};
use crate::discussions::event::Place;
use crate::discussions::model::{Post, PostId, PostKind, Question, QuestionId};
use crate::discussions::query::follow;
use crate::graphql::loaders::{Load, Loaders};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::{self, NewJob};

/// The job that tells one user of one post.
pub(in crate::discussions) const TELL: &str = "discussions.tell";
/// How many followers are read at once.
const FOLLOWERS: i64 = 1000;

/// Enqueues a mail to each member of the course's team, except for the asker.
///
/// # Errors
/// The database failed.
pub(in crate::discussions) async fn tell_team(app: &App, place: &Place) -> Result<(), InternalError> {
    let Some(course) = CourseById(place.course).load_one(app).await? else { return Ok(()) };
    let team = catalog::team_of(app, &course).await?;
    app.db.transaction(async |tx| jobs::enqueue_all(tx, &app.clock, mails(app, place, &team)).await).await
}

/// Enqueues a mail to each follower of the question, except for the author of the reply.
///
/// # Errors
/// The database failed.
pub(in crate::discussions) async fn tell_followers(app: &App, place: &Place) -> Result<(), InternalError> {
    let question = QuestionId::new(place.thread);
    // All of them or none, so that a retry does not write to the first ones again.
    app.db
        .transaction(async |tx| {
            let mut after = UserId::new(Uuid::nil());
            loop {
                let followers = follow::followers(tx.conn(), question, after, FOLLOWERS).await?;
                let Some(last) = followers.last() else { return Ok(()) };
                after = *last;
                jobs::enqueue_all(tx, &app.clock, mails(app, place, &followers)).await?;
            }
        })
        .await
}

fn mails(app: &App, place: &Place, users: &[UserId]) -> Vec<NewJob> {
    let mail = |user: &UserId| NewJob {
        handler: TELL.to_owned(),
        payload: json!({ "post": place.post, "kind": place.kind, "user": user }),
        key: format!("{TELL}/{}/{}", place.post, user.uuid()),
        run_at: app.clock.now(),
    };
    users.iter().filter(|user| **user != place.author).map(mail).collect()
}

/// What a mail to a user says about a post.
pub(in crate::discussions) struct News {
    pub(in crate::discussions) email: String,
    /// The name of the user.
    pub(in crate::discussions) name: String,
    /// The name of the author.
    pub(in crate::discussions) author: String,
    pub(in crate::discussions) course: String,
    pub(in crate::discussions) question: String,
    pub(in crate::discussions) post: std::sync::Arc<Post>,
}

/// Returns what a mail to a user says about a post; `None` if they may not see it now, or do not exist anymore.
///
/// # Errors
/// The database failed.
pub(in crate::discussions) async fn news(
    app: &App,
    user: UserId,
    (kind, id): (PostKind, Uuid),
) -> Result<Option<News>, InternalError> {
    let Some(actor) = accounts::actor_now(app, user, None).await? else { return Ok(None) };
    let found = find(&Loaders::new(app.clone()), &actor, PostId { kind, id }).await?;
    let Some(Found { post, question: Some(question), subject }) = found else { return Ok(None) };
    let (user, author) = (UserById(user).load_one(app).await?, UserById(post.author_id).load_one(app).await?);
    let (Some(user), Some(author)) = (user, author) else { return Ok(None) };
    let Question { title, .. } = &*question;
    Ok(Some(News {
        email: user.email.clone(),
        name: user.name.clone(),
        author: author.name.clone(),
        course: subject.course.title.clone(),
        question: title.clone(),
        post,
    }))
}
