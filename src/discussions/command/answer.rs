//! Commands that say which reply answers a question.

use std::sync::Arc;

use super::find::{Subject, find_question};
use crate::accounts::UserId;
use crate::discussions::event::{Place, QuestionResolved, ReplyAccepted};
use crate::discussions::model::{
    AcceptReplyInput, Post, PostAction, PostKind, Question, QuestionId, SetQuestionResolvedInput,
};
use crate::discussions::query::question::QuestionChanges;
use crate::discussions::query::{post, question};
use crate::discussions::{error, policy};
use crate::graphql::Result;
use crate::graphql::loaders::Loaders;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::outbox;

/// Accepts a reply as the answer, which resolves the question; or accepts none.
///
/// # Errors
/// There is no such reply to the question; the actor has neither asked the question nor is in the course's team.
pub async fn accept_reply(
    loaders: &Loaders,
    actor: &Actor,
    input: AcceptReplyInput,
) -> Result<(Arc<Question>, Arc<Subject>)> {
    let app = loaders.app();
    let (_, subject) = find_question(loaders, actor, input.question_id).await?;
    let now = app.clock.now();
    let changed = app
        .db
        .transaction(async |tx| {
            let old = resolvable(tx, &subject, input.question_id).await?;
            if let Some(id) = input.reply_id {
                // It cannot be deleted meanwhile: that needs the lock of its question.
                let reply = post::by_id(tx, id.uuid()).await?;
                let is_own = |reply: &Post| {
                    reply.kind == PostKind::Reply
                        && reply.parent_id == Some(old.post.id)
                        && policy::can_see(&subject.rights, reply, Some(&old))
                };
                let reply = reply.filter(is_own).ok_or_else(error::no_such_reply)?;
                if !policy::permits(&subject.rights, PostAction::Accept, &reply, Some(&old)) {
                    return Err(error::not_allowed(PostAction::Accept, "replyId"));
                }
                if old.accepted_reply_id != Some(id) {
                    let accepted = ReplyAccepted { place: Place::of(&reply), accepted_by: actor.id().map(UserId::new) };
                    outbox::record(tx, &app.clock, &accepted).await?;
                }
            } else if old.accepted_reply_id.is_some() {
                outbox::record(tx, &app.clock, &QuestionResolved { place: Place::of(&old.post) }).await?;
            }
            let resolved_at = Some(input.reply_id.and(old.resolved_at.or(Some(now))));
            let accepted_reply_id = Some(input.reply_id);
            let changes = QuestionChanges { accepted_reply_id, resolved_at, ..QuestionChanges::default() };
            question::update(tx, old.post.id, changes).await?;
            question::by_id(tx, old.post.id).await?.ok_or_else(error::no_such_question)
        })
        .await?;
    Ok((Arc::new(changed), subject))
}

/// Marks a question as resolved, or not.
///
/// # Errors
/// There is no such question; the actor has neither asked it nor is in the course's team.
pub async fn set_question_resolved(
    loaders: &Loaders,
    actor: &Actor,
    input: SetQuestionResolvedInput,
) -> Result<(Arc<Question>, Arc<Subject>)> {
    let app = loaders.app();
    let (_, subject) = find_question(loaders, actor, input.question_id).await?;
    let now = app.clock.now();
    let changed = app
        .db
        .transaction(async |tx| {
            let old = resolvable(tx, &subject, input.question_id).await?;
            if old.resolved_at.is_some() == input.resolved {
                return Ok(old);
            }
            let resolved_at = Some(input.resolved.then_some(now));
            question::update(tx, old.post.id, QuestionChanges { resolved_at, ..QuestionChanges::default() }).await?;
            outbox::record(tx, &app.clock, &QuestionResolved { place: Place::of(&old.post) }).await?;
            question::by_id(tx, old.post.id).await?.ok_or_else(error::no_such_question)
        })
        .await?;
    Ok((Arc::new(changed), subject))
}

/// Locks a question that the user may resolve.
async fn resolvable(tx: &mut Tx, subject: &Subject, id: QuestionId) -> Result<Question> {
    post::lock(tx, id.uuid()).await?.ok_or_else(error::no_such_question)?;
    let question = question::by_id(tx, id.uuid()).await?.ok_or_else(error::no_such_question)?;
    match policy::permits(&subject.rights, PostAction::Resolve, &question.post, Some(&question)) {
        true => Ok(question),
        false => Err(error::not_allowed(PostAction::Resolve, "questionId")),
    }
}
