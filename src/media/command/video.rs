//! Commands for videos, and their deletion.
//!
//! A video that is no longer referenced is scheduled for deletion; a new reference before that time cancels it. The row
//! is locked for every change of references (`port.rs`) and for deletion ([`delete_due`]), which enqueues the job that
//! deletes the objects in the same transaction.

use std::time::Duration;

use serde_json::json;

use super::manageable;
use crate::graphql::{Result, id};
use crate::media::error;
use crate::media::model::{DeleteVideoInput, Video, VideoId};
use crate::media::query::{reference, video as query};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs;

/// The name of the job that deletes the objects of a video.
pub(crate) const DELETE_OBJECTS: &str = "media.delete_objects";

/// The lifetime of the URL of a poster image.
const POSTER: Duration = Duration::from_secs(3600);

/// Returns the URL of a video's poster image, valid for one hour; `None` until there is one.
///
/// # Errors
/// The URL cannot be signed.
pub async fn poster_url(app: &App, video: &Video) -> std::result::Result<Option<String>, InternalError> {
    let Some(key) = &video.poster_key else { return Ok(None) };
    Ok(Some(app.storage.presign_get(key, POSTER).await?))
}

/// Schedules the deletion of a video after the grace period. Calling it again does not extend the period.
///
/// # Errors
/// The video does not exist; a lesson or course shows it.
pub async fn delete_video(app: &App, actor: &Actor, input: DeleteVideoInput) -> Result<Video> {
    app.db
        .transaction(async |tx| {
            let video = manageable(tx, actor, input.video_id).await?;
            match reference::one_of_video(tx, video.id).await? {
                None => {
                    let now = app.clock.now();
                    let due = now + app.config.video.grace;
                    match video.delete_after {
                        Some(earlier) if earlier <= due => Ok(video),
                        _ => Ok(query::set_delete_after(tx, video.id, Some(due), now).await?),
                    }
                }
                Some((kind, id)) => Err(error::in_use(&id::encode(&kind, id))),
            }
        })
        .await
}

/// Deletes the videos whose grace period is over. Cancels the deletion of those that are referenced.
///
/// # Errors
/// The database failed.
pub(crate) async fn delete_due(app: &App) -> std::result::Result<(), InternalError> {
    loop {
        let now = app.clock.now();
        let due = query::due(&mut *app.db.read().await?, now).await?;
        if due.is_empty() {
            return Ok(());
        }
        for id in due {
            let deleted = app.db.transaction(async |tx| {
                let video = query::lock(tx, id).await?;
                let Some(video) = video.filter(|video| video.delete_after.is_some_and(|at| at <= now)) else {
                    return Ok::<_, InternalError>(());
                };
                if reference::one_of_video(tx, id).await?.is_some() {
                    query::set_delete_after(tx, id, None, now).await?;
                    return Ok(());
                }
                query::delete(tx, id).await?;
                let payload = json!({ "videoId": id.uuid(), "objectKey": video.object_key });
                jobs::enqueue(tx, &app.clock, DELETE_OBJECTS, &payload, &format!("{DELETE_OBJECTS}/{}", id.encode()))
                    .await
            });
            deleted.await?;
        }
    }
}

/// Deletes the objects of a deleted video; `key` is that of the original.
///
/// # Errors
/// The store or the database failed; the row of the video still exists.
pub(crate) async fn delete_objects(app: &App, key: &str, id: VideoId) -> std::result::Result<(), InternalError> {
    app.storage.delete(key).await?;
    if query::is_there(&mut *app.db.read().await?, id).await? {
        return Err(InternalError::new("a video is to lose its objects and is still there"));
    }
    let deleted = app.storage.delete_below(&Video::folder(id)).await?;
    tracing::info!(video = %id.encode(), deleted, "a video was deleted");
    Ok(())
}
