//! Changes of references to videos and files, which other features make in their own transactions.
//!
//! Lock order: the rows of videos before those of files, each in the order of their ids.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::event::UploadChanged;
use super::model::{FileId, MediaFile, Referrer, UploadId, Video, VideoId};
use super::query::{file, reference, upload, video};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

/// Sets the video that `referrer` shows, or removes it.
///
/// A video that is no longer referenced is deleted after the grace period. Returns the new video, locked, so that it
/// exists when the transaction commits. Returns `None` if it does not exist or `may` rejects it: the transaction must
/// then be rolled back.
///
/// # Errors
/// The database failed.
pub async fn show_video(
    tx: &mut Tx,
    app: &App,
    referrer: Referrer,
    new: Option<VideoId>,
    may: impl Fn(&Video) -> bool + Send,
) -> Result<Option<Video>, InternalError> {
    let shown = reference::videos_of(tx, &[referrer.id]).await?;
    let ids: BTreeSet<Uuid> = shown.iter().chain(&new).map(|id| id.uuid()).collect();
    let locked = video::lock_all(tx, &ids.into_iter().map(VideoId::new).collect::<Vec<_>>()).await?;
    reference::remove_videos(tx, &[referrer.id]).await?;
    let shows = new.and_then(|id| locked.into_iter().find(|video| video.id == id && may(video)));
    if let Some(video) = &shows {
        reference::add_videos(tx, &[(video.id, referrer)]).await?;
        if video.delete_after.is_some() {
            video::set_delete_after(tx, video.id, None, app.clock.now()).await?;
        }
    }
    start_grace(tx, app, &shown).await?;
    Ok(shows)
}

/// Makes new objects show videos, many at once; returns the videos, locked, so that they exist when the transaction
/// commits.
///
/// # Errors
/// The database failed, or a video does not exist.
pub async fn refer_to_videos(
    tx: &mut Tx,
    app: &App,
    references: &[(VideoId, Referrer)],
) -> Result<Vec<Video>, InternalError> {
    let ids: BTreeSet<Uuid> = references.iter().map(|(id, _)| id.uuid()).collect();
    let ids: Vec<VideoId> = ids.into_iter().map(VideoId::new).collect();
    let videos = video::lock_all(tx, &ids).await?;
    if videos.len() < ids.len() {
        return Err(InternalError::new("a video to be shown does not exist"));
    }
    reference::add_videos(tx, references).await?;
    for video in videos.iter().filter(|video| video.delete_after.is_some()) {
        video::set_delete_after(tx, video.id, None, app.clock.now()).await?;
    }
    Ok(videos)
}

/// Locks files, so that they exist when the transaction commits.
///
/// Returns those that exist, in the order of their ids. Call it with all files that [`refer_to_files`] will add and
/// remove.
///
/// # Errors
/// The database failed.
pub async fn lock_files(tx: &mut Tx, ids: &[FileId]) -> Result<Vec<MediaFile>, InternalError> {
    if ids.is_empty() { Ok(Vec::new()) } else { Ok(file::lock(tx, ids).await?) }
}

/// Sets the picture that `referrer` shows instead of `current`, or removes it.
///
/// A picture that is no longer referenced is deleted after the grace period. Returns the new one, locked, so that it
/// exists when the transaction commits. Returns `None` if it does not exist or `may` rejects it: the transaction must
/// then be rolled back, as it must if the caller needs another purpose.
///
/// # Errors
/// The database failed.
pub async fn show_picture(
    tx: &mut Tx,
    app: &App,
    referrer: Referrer,
    (current, new): (Option<FileId>, Option<FileId>),
    may: impl Fn(&MediaFile) -> bool + Send,
) -> Result<Option<MediaFile>, InternalError> {
    let ids: Vec<FileId> = new.into_iter().chain(current).collect();
    let locked = lock_files(tx, &ids).await?;
    let shows = new.and_then(|id| locked.into_iter().find(|file| file.id == id && may(file)));
    let shown: Vec<FileId> = shows.iter().map(|file| file.id).collect();
    refer_to_files(tx, app, referrer, &shown).await?;
    Ok(shows)
}

/// Returns the files that `referrer` refers to.
///
/// # Errors
/// The database failed.
pub async fn files_of(tx: &mut Tx, referrer: Referrer) -> Result<Vec<FileId>, InternalError> {
    Ok(reference::files_of(tx, &[referrer.id]).await?)
}

/// Sets the files that `referrer` refers to, replacing the previous ones.
///
/// A file that is no longer referenced is deleted after the grace period. The new and the previous files must be
/// locked.
///
/// # Errors
/// The database failed.
pub async fn refer_to_files(tx: &mut Tx, app: &App, referrer: Referrer, ids: &[FileId]) -> Result<(), InternalError> {
    let before = reference::files_of(tx, &[referrer.id]).await?;
    if before.is_empty() && ids.is_empty() {
        return Ok(());
    }
    reference::remove_files(tx, &[referrer.id]).await?;
    reference::add_files(tx, ids, referrer).await?;
    file::set_used(tx, ids).await?;
    file::set_unused(tx, &before, app.clock.now()).await?;
    Ok(())
}

/// Removes all references from deleted objects.
///
/// Videos and files that are no longer referenced are deleted after the grace period.
///
/// # Errors
/// The database failed.
pub async fn release(tx: &mut Tx, app: &App, referrers: &[Uuid]) -> Result<(), InternalError> {
    let videos = reference::videos_of(tx, referrers).await?;
    if !videos.is_empty() {
        video::lock_all(tx, &videos).await?;
        reference::remove_videos(tx, referrers).await?;
        start_grace(tx, app, &videos).await?;
    }
    let files = reference::files_of(tx, referrers).await?;
    if !files.is_empty() {
        file::lock(tx, &files).await?;
        reference::remove_files(tx, referrers).await?;
        file::set_unused(tx, &files, app.clock.now()).await?;
    }
    Ok(())
}

/// Notes that the file of an upload was attached to the object with this encoded id, or why it could not be.
///
/// # Errors
/// The database failed.
pub async fn set_attached(
    tx: &mut Tx,
    app: &App,
    id: UploadId,
    outcome: Result<&str, &str>,
) -> Result<(), InternalError> {
    let upload = upload::set_attached(tx, id, outcome, app.clock.now()).await?;
    outbox::record(tx, &app.clock, &UploadChanged::of(&upload)).await.map(drop)
}

/// Returns a video; `None` if it does not exist.
///
/// # Errors
/// The database failed.
pub async fn video(tx: &mut Tx, id: VideoId) -> Result<Option<Video>, InternalError> {
    Ok(video::by_ids(tx.conn(), &[id]).await?.pop())
}

/// Starts the grace period of those `videos` that are no longer referenced.
///
/// The videos must be locked.
async fn start_grace(tx: &mut Tx, app: &App, videos: &[VideoId]) -> Result<(), InternalError> {
    let now = app.clock.now();
    video::start_grace(tx, videos, now + app.config.video.grace, now).await?;
    Ok(())
}
