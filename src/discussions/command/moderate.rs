//! Commands that report and moderate posts.

use serde_json::json;

use super::count::count_reply;
use super::delete::{self, Deleted};
use super::find::find;
use super::write::publish;
use crate::accounts::viewer;
use crate::discussions::event::{Place, PostModerated, PostReported};
use crate::discussions::model::{
    HiddenReason, ModeratePostInput, Moderation, Post, PostAction, Report, ReportPostInput, Resolution,
};
use crate::discussions::port::{PostChange, changed};
use crate::discussions::query::question::QuestionChanges;
use crate::discussions::query::{post, question, report};
use crate::discussions::{error, policy};
use crate::graphql::Result;
use crate::graphql::error::Check;
use crate::graphql::loaders::Loaders;
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client};
use crate::platform::db::Tx;
use crate::platform::outbox;

const LONGEST_REASON: usize = 500;

/// Reports a post to the course's team. A user reports a post once.
///
/// # Errors
/// The input is invalid; there is no such post, or the actor has written it.
pub async fn report_post(loaders: &Loaders, actor: &Actor, input: ReportPostInput) -> Result<Report> {
    let (app, user, no_such) = (loaders.app(), viewer(actor)?, || error::no_such_post("postId"));
    let mut check = Check::new();
    let reason = check.required_text("reason", &input.reason, LONGEST_REASON);
    check.finish()?;
    let found = find(loaders, actor, input.post_id).await?.ok_or_else(no_such)?;
    app.db
        .transaction(async |tx| {
            let held = post::hold(tx, input.post_id.id).await?.ok_or_else(no_such)?;
            if !policy::permits(&found.subject.rights, PostAction::Report, &held, found.question.as_deref()) {
                return Err(error::not_allowed(PostAction::Report, "postId"));
            }
            let made = report::insert(tx, &app.clock, &held, Some(user), &reason).await?;
            outbox::record(tx, &app.clock, &PostReported { place: Place::of(&held), reporter: Some(user) }).await?;
            Ok(made)
        })
        .await
}

/// Moderates a post.
///
/// # Errors
/// The input is invalid; there is no such post; the actor is not in the course's team, or the post is in no state for
/// it.
pub async fn moderate_post(
    loaders: &Loaders,
    actor: &Actor,
    client: &Client,
    input: ModeratePostInput,
) -> Result<Deleted> {
    let (app, no_such) = (loaders.app(), || error::no_such_post("postId"));
    let mut check = Check::new();
    let reason = check.text("reason", &input.reason, LONGEST_REASON);
    check.finish()?;
    let found = find(loaders, actor, input.post_id).await?.ok_or_else(no_such)?;
    let left = app
        .db
        .transaction(async |tx| {
            let old = delete::lock(tx, &found.post).await?.ok_or_else(no_such)?;
            let action = required(input.action);
            if !policy::permits(&found.subject.rights, action, &old, found.question.as_deref()) {
                return Err(error::not_allowed(action, "postId"));
            }
            let left = apply(tx, app, &old, input.action).await?;
            let details = json!({
                "postId": input.post_id.encode(),
                "moderation": input.action,
                "courseId": old.course_id.encode(),
                "reason": reason,
            });
            let (action, subject) = (Action::PostModerated, Some(old.author_id.uuid()));
            let entry = Entry { action, actor: actor.id(), subject, client, details };
            audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await?;
            Ok(left)
        })
        .await?;
    Deleted::of(loaders, actor, input.post_id, left).await
}

/// What a moderator must be permitted to do.
fn required(moderation: Moderation) -> PostAction {
    match moderation {
        Moderation::Pin | Moderation::Unpin => PostAction::Pin,
        Moderation::Lock | Moderation::Unlock => PostAction::Lock,
        Moderation::Hide => PostAction::Hide,
        Moderation::Restore => PostAction::Restore,
        // Who may remove a post may leave it as it is.
        Moderation::Remove | Moderation::Dismiss => PostAction::Remove,
    }
}

/// Moderates a locked post; returns whether it is still there.
async fn apply(tx: &mut Tx, app: &App, old: &Post, moderation: Moderation) -> Result<bool> {
    let now = app.clock.now();
    let changes = match moderation {
        Moderation::Pin | Moderation::Unpin => {
            QuestionChanges { is_pinned: Some(moderation == Moderation::Pin), ..QuestionChanges::default() }
        }
        Moderation::Lock | Moderation::Unlock => {
            QuestionChanges { is_locked: Some(moderation == Moderation::Lock), ..QuestionChanges::default() }
        }
        Moderation::Hide => {
            report::resolve(tx, old.id, Resolution::Hidden, now).await?;
            hide(tx, app, old, HiddenReason::Moderator).await?;
            return Ok(true);
        }
        Moderation::Restore => {
            report::resolve(tx, old.id, Resolution::Restored, now).await?;
            show(tx, app, old).await?;
            return Ok(true);
        }
        Moderation::Remove => {
            report::resolve(tx, old.id, Resolution::Removed, now).await?;
            return delete::remove(tx, app, old).await;
        }
        Moderation::Dismiss => {
            report::resolve(tx, old.id, Resolution::Dismissed, now).await?;
            return Ok(true);
        }
    };
    question::update(tx, old.id, changes).await?;
    outbox::record(tx, &app.clock, &PostModerated { place: Place::of(old) }).await?;
    Ok(true)
}

/// Hides a locked post that everybody sees.
pub(super) async fn hide(tx: &mut Tx, app: &App, old: &Post, reason: HiddenReason) -> Result<()> {
    post::hide(tx, old.id, reason, app.clock.now()).await?;
    post::remove_words(tx, old.id).await?;
    outbox::record(tx, &app.clock, &PostModerated { place: Place::of(old) }).await?;
    count_reply(tx, app, old, -1, None).await?;
    Ok(changed(tx, app, old, PostChange::Hidden).await?)
}

/// Shows a locked post that is hidden. One that was held when it was written is news to everybody now.
async fn show(tx: &mut Tx, app: &App, old: &Post) -> Result<()> {
    post::show(tx, old.id).await?;
    let title = question::by_id(tx, old.id).await?.map(|question| question.title);
    if old.was_held() {
        publish(tx, app, old, title.as_deref()).await?;
    } else {
        post::write_words(tx, old, (title.as_deref().unwrap_or_default(), &old.body)).await?;
        outbox::record(tx, &app.clock, &PostModerated { place: Place::of(old) }).await?;
        count_reply(tx, app, old, 1, None).await?;
    }
    Ok(changed(tx, app, old, PostChange::Shown).await?)
}

/// Puts a post that was held automatically into the queue of the moderators.
pub(super) async fn queue(tx: &mut Tx, app: &App, held: &Post, reason: HiddenReason) -> Result<()> {
    let text = match reason {
        HiddenReason::Link => "Held automatically: it has a link, and the author's account is new.",
        HiddenReason::BlockedWord => "Held automatically: it has a blocked word.",
        HiddenReason::Moderator => return Ok(()),
    };
    report::insert(tx, &app.clock, held, None, text).await?;
    outbox::record(tx, &app.clock, &PostReported { place: Place::of(held), reporter: None }).await?;
    Ok(())
}
