//! Commands that change the texts of posts.

use std::sync::Arc;

use uuid::Uuid;

use super::find::{Found, Subject, find};
use super::moderate::{hide, queue};
use super::write::{LONGEST_BODY, LONGEST_TITLE, check_second, held};
use crate::discussions::event::{Place, PostEdited};
use crate::discussions::model::{
    HiddenReason, Post, PostAction, PostId, PostKind, Question, UpdateQuestionInput, UpdateReplyInput,
};
use crate::discussions::query::question::QuestionChanges;
use crate::discussions::query::{post, question};
use crate::discussions::{error, policy};
use crate::graphql::error::{Check, Edit};
use crate::graphql::loaders::Loaders;
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::outbox;

/// Changes a question. The earlier version stays visible to its author and the course's team.
///
/// # Errors
/// The input is invalid; the actor has not asked the question.
pub async fn update_question(
    loaders: &Loaders,
    actor: &Actor,
    input: UpdateQuestionInput,
) -> Result<Edit<(Arc<Question>, Arc<Subject>)>> {
    let (app, no_such) = (loaders.app(), error::no_such_question);
    let id = PostId { kind: PostKind::Question, id: input.question_id.uuid() };
    let Found { subject, .. } = find(loaders, actor, id).await?.ok_or_else(no_such)?;
    let mut check = Check::new();
    let title = input.title.as_ref().map(|title| check.required("title", title, LONGEST_TITLE));
    let body = input.body.as_ref().map(|body| check.required_text("body", body, LONGEST_BODY));
    check_second(&mut check, &subject, input.at_seconds.value().copied());
    check.finish()?;
    if title.is_none() && body.is_none() && input.at_seconds.is_undefined() {
        return Err(error::nothing_to_change());
    }
    let texts = [title.as_deref().unwrap_or_default(), body.as_deref().unwrap_or_default()];
    let (now, held) = (app.clock.now(), held(loaders, &subject, texts).await?);
    let edited = app
        .db
        .transaction(async |tx| {
            post::lock(tx, id.id).await?.ok_or_else(no_such)?;
            let old = question::by_id(tx, id.id).await?.ok_or_else(no_such)?;
            if !policy::permits(&subject.rights, PostAction::Update, &old.post, Some(&old)) {
                return Err(error::not_allowed(PostAction::Update, "questionId"));
            }
            if old.post.version != input.version {
                return Ok(Edit::Conflict { version: old.post.version, current: old });
            }
            let mut at_seconds = old.at_seconds;
            input.at_seconds.update_to(&mut at_seconds);
            let new_title = title.as_deref().unwrap_or(&old.title);
            post::edit(tx, &old.post, Some(&old.title), body.as_deref().unwrap_or(&old.post.body), now).await?;
            let changes = QuestionChanges {
                title: Some(new_title.to_owned()),
                at_seconds: Some(at_seconds),
                ..QuestionChanges::default()
            };
            question::update(tx, id.id, changes).await?;
            let new = question::by_id(tx, id.id).await?.ok_or_else(no_such)?;
            if tell(tx, app, &new.post, Some(&new.title), held).await? {
                return Ok(Edit::Saved(question::by_id(tx, id.id).await?.ok_or_else(no_such)?));
            }
            Ok::<_, Error>(Edit::Saved(new))
        })
        .await?;
    Ok(edited.map(|question| (Arc::new(question), subject)))
}

/// Changes a reply. The earlier version stays visible to its author and the course's team.
///
/// # Errors
/// The input is invalid; the actor has not written the reply.
pub async fn update_reply(
    loaders: &Loaders,
    actor: &Actor,
    input: UpdateReplyInput,
) -> Result<Edit<(Arc<Post>, Option<Arc<Question>>, Arc<Subject>)>> {
    let (app, no_such) = (loaders.app(), || error::no_such_post("replyId"));
    let id = PostId { kind: PostKind::Reply, id: input.reply_id.uuid() };
    let Found { question, subject, .. } = find(loaders, actor, id).await?.ok_or_else(no_such)?;
    let mut check = Check::new();
    let body = check.required_text("body", &input.body, LONGEST_BODY);
    check.finish()?;
    let held = held(loaders, &subject, ["", &body]).await?;
    let edit =
        async |tx: &mut Tx| edit_post(tx, app, &subject, (id.id, input.version, "replyId"), Some(&body), held).await;
    let edited = app.db.transaction(edit).await?;
    Ok(edited.map(|reply| (Arc::new(reply), question, subject)))
}

/// Changes the text of a post that is not a question, and locks it. Without a new text, only the version changes.
///
/// `held` is the result of [`held`]; `field` is that of the id in the input.
///
/// # Errors
/// There is no such post; the user has not written it.
pub async fn edit_post(
    tx: &mut Tx,
    app: &App,
    subject: &Subject,
    (id, version, field): (Uuid, i32, &str),
    body: Option<&str>,
    held: Option<HiddenReason>,
) -> Result<Edit<Post>> {
    let no_such = || error::no_such_post(field);
    let old = post::lock(tx, id).await?.ok_or_else(no_such)?;
    if !policy::permits(&subject.rights, PostAction::Update, &old, None) {
        return Err(error::not_allowed(PostAction::Update, field));
    }
    if old.version != version {
        return Ok(Edit::Conflict { version: old.version, current: old });
    }
    post::edit(tx, &old, None, body.unwrap_or(&old.body), app.clock.now()).await?;
    let new = post::by_id(tx, id).await?.ok_or_else(no_such)?;
    match tell(tx, app, &new, None, held).await? {
        true => Ok(Edit::Saved(post::by_id(tx, id).await?.ok_or_else(no_such)?)),
        false => Ok(Edit::Saved(new)),
    }
}

/// Makes the edit of a locked post known, or hides the post if the edit is held; returns whether it is.
async fn tell(tx: &mut Tx, app: &App, new: &Post, title: Option<&str>, held: Option<HiddenReason>) -> Result<bool> {
    if !new.is_shown() {
        return Ok(false);
    }
    if let Some(reason) = held {
        queue(tx, app, new, reason).await?;
        hide(tx, app, new, reason).await?;
        return Ok(true);
    }
    post::write_words(tx, new, (title.unwrap_or_default(), &new.body)).await?;
    outbox::record(tx, &app.clock, &PostEdited { place: Place::of(new) }).await?;
    Ok(false)
}
