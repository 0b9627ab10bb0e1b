//! Videos that are kept, and how they end.
//!
//! A video that nothing shows any more gets a time at which it is deleted; whatever begins to show it before takes that
//! back. The row is what decides: [`attach`] and [`delete_due`] lock it, and with it goes, in the same transaction, the
//! job that removes the objects.

use serde_json::json;

use super::manageable;
use crate::graphql::Result;
use crate::media::error;
use crate::media::model::{DeleteVideoInput, Video, VideoId};
use crate::media::query::video as query;
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::fault::Fault;
use crate::platform::jobs;

/// The job that removes what was stored of a video.
pub(crate) const DELETE_OBJECTS: &str = "media.delete_objects";

/// Something is about to show a video, within `tx`: it is no longer to be deleted. The video stays locked, so that it
/// is there when the transaction commits. `None` if there is none that the caller may show.
///
/// # Errors
/// The database failed.
pub async fn attach(
    tx: &mut Tx,
    app: &App,
    id: VideoId,
    may: impl Fn(&Video) -> bool + Send,
) -> std::result::Result<Option<Video>, Fault> {
    let Some(video) = query::lock(tx, id).await?.filter(may) else { return Ok(None) };
    if video.delete_after.is_none() {
        return Ok(Some(video));
    }
    Ok(Some(query::set_delete_after(tx, id, None, app.clock.now()).await?))
}

/// Something has ceased to show a video, within `tx`. When it was the last, the video's grace begins.
///
/// # Errors
/// The database failed.
pub async fn detach(tx: &mut Tx, app: &App, id: VideoId) -> std::result::Result<(), Fault> {
    let Some(video) = query::lock(tx, id).await? else { return Ok(()) };
    if query::shown_by(tx, id).await? == (None, None) && video.delete_after.is_none() {
        let now = app.clock.now();
        query::set_delete_after(tx, id, Some(now + app.config.video.grace), now).await?;
    }
    Ok(())
}

/// Has a video deleted after the grace. Deleting it again does not prolong that.
///
/// # Errors
/// There is no such video; a lesson or a course shows it.
pub(crate) async fn delete_video(app: &App, actor: &Actor, input: DeleteVideoInput) -> Result<Video> {
    app.db
        .transaction(async |tx| {
            let video = manageable(tx, actor, input.video_id).await?;
            match query::shown_by(tx, video.id).await? {
                (None, None) if video.delete_after.is_some() => Ok(video),
                (None, None) => {
                    let now = app.clock.now();
                    Ok(query::set_delete_after(tx, video.id, Some(now + app.config.video.grace), now).await?)
                }
                (lesson, course) => Err(error::in_use(lesson, course)),
            }
        })
        .await
}

/// Deletes the videos whose grace is over, unless something shows them: those stay for good.
///
/// # Errors
/// The database failed.
pub(crate) async fn delete_due(app: &App) -> std::result::Result<(), Fault> {
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
                    return Ok::<_, Fault>(());
                };
                if query::shown_by(tx, id).await? != (None, None) {
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

/// How long a video is, if that is known.
///
/// # Errors
/// The database failed.
pub async fn duration_seconds(tx: &mut Tx, id: VideoId) -> std::result::Result<Option<i32>, Fault> {
    let video = query::by_ids(tx.conn(), &[id]).await?.pop();
    Ok(video.and_then(|video| video.duration_seconds()))
}

/// Removes the objects of a video that is no more; `key` is that of the video itself.
///
/// # Errors
/// The store or the database failed.
pub(crate) async fn delete_objects(app: &App, key: &str, id: VideoId) -> std::result::Result<(), Fault> {
    app.storage.delete(key).await?;
    if query::is_there(&mut *app.db.read().await?, id).await? {
        return Err(Fault::new("a video is to lose its objects and is still there"));
    }
    let deleted = app.storage.delete_below(&Video::folder(id)).await?;
    tracing::info!(video = %id.encode(), deleted, "a video was deleted");
    Ok(())
}
