//! Keeps up with the counts of posts.
//!
//! Votes and replies are counted beside the post, where no list is sorted by them, and nobody is told of each. At the
//! next full second a job copies the counts to where lists are sorted by them and records one event, however many came.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::discussions::event::{Place, PostCounted};
use crate::discussions::model::Post;
use crate::discussions::port::{PostChange, changed};
use crate::discussions::query::{post, question};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::{jobs, outbox};

/// The job that follows the counts of a post.
pub(crate) const FOLLOW_COUNTS: &str = "discussions.follow_counts";

/// Schedules [`follow_counts`]. Call this after the counts were changed, when their row is locked, so that the time is
/// not from before a wait.
pub(super) async fn counted(tx: &mut Tx, app: &App, post: Uuid) -> Result<(), InternalError> {
    let second = TimeDelta::seconds(1);
    let now = app.clock.now();
    let due = now.duration_trunc(second).unwrap_or(now) + second;
    let key = format!("{FOLLOW_COUNTS}/{post}@{}", due.timestamp());
    jobs::enqueue_at(tx, &app.clock, FOLLOW_COUNTS, &json!({ "post": post }), &key, due).await
}

/// Adds `more` replies to what a post replies to, if it is a reply, the latest of which is from `active_at`.
pub(super) async fn count_reply(
    tx: &mut Tx,
    app: &App,
    post: &Post,
    more: i32,
    active_at: Option<DateTime<Utc>>,
) -> Result<(), InternalError> {
    let Some(parent) = post.parent_id else { return Ok(()) };
    post::count_replies(tx, parent, more, active_at).await?;
    counted(tx, app, parent).await
}

/// Copies the counts of a post to where lists are sorted by them, and tells subscribers.
///
/// # Errors
/// The database failed.
pub(crate) async fn follow_counts(app: &App, id: Uuid) -> Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            let Some(counted) = post::by_id(tx, id).await? else { return Ok(()) };
            question::refresh(tx, id).await?;
            changed(tx, app, &counted, PostChange::Counted).await?;
            if counted.is_shown() {
                outbox::record(tx, &app.clock, &PostCounted { place: Place::of(&counted) }).await?;
            }
            Ok(())
        })
        .await
}
