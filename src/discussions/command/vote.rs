//! Commands that vote for posts and follow questions.

use std::sync::Arc;

use super::count::counted;
use super::find::{Found, Subject, find, find_question};
use crate::accounts::{UserId, viewer};
use crate::discussions::model::{FollowQuestionInput, PostAction, Question, QuestionId, VotePostInput};
use crate::discussions::query::{follow, post, vote};
use crate::discussions::{error, policy};
use crate::graphql::loaders::Loaders;
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::internal_error::InternalError;

/// Votes for a post, or takes the vote back. Voting again changes nothing.
///
/// # Errors
/// There is no such post; the actor may not vote for it.
pub async fn vote_post(loaders: &Loaders, actor: &Actor, input: VotePostInput) -> Result<Found> {
    let (app, user, no_such) = (loaders.app(), viewer(actor)?, || error::no_such_post("postId"));
    let found = find(loaders, actor, input.post_id).await?.ok_or_else(no_such)?;
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let held = post::hold(tx, input.post_id.id).await?.ok_or_else(no_such)?;
            if !policy::permits(&found.subject.rights, PostAction::Vote, &held, found.question.as_deref()) {
                return Err(error::not_allowed(PostAction::Vote, "postId"));
            }
            let (changed, more) = match input.voted {
                true => (vote::add(tx, held.id, user, now).await?, 1),
                false => (vote::remove(tx, held.id, user).await?, -1),
            };
            if changed {
                post::count_votes(tx, held.id, more).await?;
                counted(tx, app, held.id).await?;
            }
            Ok::<_, Error>(())
        })
        .await?;
    find(loaders, actor, input.post_id).await?.ok_or_else(no_such)
}

/// Follows a question, or does so no longer. Doing so again changes nothing.
///
/// # Errors
/// There is no such question.
pub async fn follow_question(
    loaders: &Loaders,
    actor: &Actor,
    input: FollowQuestionInput,
) -> Result<(Arc<Question>, Arc<Subject>)> {
    let (app, user) = (loaders.app(), viewer(actor)?);
    let found = find_question(loaders, actor, input.question_id).await?;
    let (id, now) = (input.question_id.uuid(), app.clock.now());
    app.db
        .transaction(async |tx| {
            post::hold(tx, id).await?.ok_or_else(error::no_such_question)?;
            match input.following {
                true => follow::add(tx, id, user, now).await?,
                false => follow::remove(tx, id, user).await?,
            };
            Ok::<_, Error>(())
        })
        .await?;
    Ok(found)
}

/// Returns the next `limit` followers of a question, in the order of their ids, after a user.
///
/// # Errors
/// The database failed.
pub async fn followers_after(
    app: &App,
    question: QuestionId,
    after: UserId,
    limit: i64,
) -> std::result::Result<Vec<UserId>, InternalError> {
    Ok(follow::followers(&mut *app.db.read().await?, question, after, limit).await?)
}
