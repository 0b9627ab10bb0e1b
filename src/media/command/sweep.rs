//! Looking after uploads: those that nobody tells about, and those that nobody wants any more.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::sleep;
use uuid::Uuid;

use super::completion::finish;
use super::upload::{note_received, received};
use super::{Leftovers, remove_later, remove_objects, tell};
use crate::media::model::{Upload, UploadId, UploadStatus};
use crate::media::query::upload as query;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// How long the store is given to tell by itself, and an upload is left alone after a look.
const LOOK: TimeDelta = TimeDelta::seconds(50);
/// How often an upload is looked at that somebody follows.
const FOLLOWED: Duration = Duration::from_secs(5);
/// A request that began just in time may end so much later.
const LATE: TimeDelta = TimeDelta::hours(24);
/// How long it can be seen what became of an upload.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Looks at uploads in progress: notes how much of each has arrived, and completes those that have arrived whole. So an
/// upload completes when its owner has left the page, also where the store tells nothing, or its word was lost.
///
/// # Errors
/// The database failed, or the store did for at least one: that one is looked at again the next time.
pub(crate) async fn watch_uploads(app: &App) -> Result<(), InternalError> {
    let now = app.clock.now();
    let uploads = query::to_look_at(&mut *app.db.read().await?, now - LOOK).await?;
    let mut failed = None;
    for upload in uploads.iter().filter(|upload| upload.is_open(now) && !upload.is_completing(now)) {
        query::looked(&mut app.db.write().await?, upload.id, now).await?;
        if let Err(error) = look(app, upload).await {
            failed = Some(error);
        }
    }
    failed.map_or(Ok(()), Err)
}

async fn look(app: &App, upload: &Upload) -> Result<(), InternalError> {
    let key = upload.arrival_key();
    let whole = match &upload.multipart_id {
        None => upload.part_bytes.is_none() && app.storage.head(&key).await?.is_some(),
        Some(id) => {
            let parts = app.storage.parts(&key, id).await?;
            let received = received(upload, &parts);
            // After an attempt that died at the wrong moment there are no parts, but the object.
            let done = parts.is_empty() && upload.received_bytes > 0 && app.storage.head(&key).await?.is_some();
            if !done {
                // Only its owner is told that there is no such upload.
                drop(note_received(app, upload.id, received).await);
            }
            done || received == upload.size_bytes
        }
    };
    if whole {
        finish(app, upload.id).await?;
    }
    Ok(())
}

/// Looks at one upload every few seconds until it ends: for somebody who follows it. The store does not tell of parts.
pub(crate) async fn watch_upload(app: App, id: UploadId) {
    loop {
        sleep(FOLLOWED).await;
        let looked = async {
            let upload = query::find(&mut *app.db.read().await?, id).await?;
            let Some(upload) = upload.filter(|upload| upload.is_open(app.clock.now())) else { return Ok(false) };
            if !upload.is_completing(app.clock.now()) {
                look(&app, &upload).await?;
            }
            Ok::<_, InternalError>(true)
        };
        match looked.await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(error = error.report(), "an upload that is followed was not looked at"),
        }
    }
}

/// Ends uploads that were not complete in time, and removes what has arrived of them; later once more, for what arrived
/// after that. Forgets those that ended long ago.
///
/// # Errors
/// The database failed, or the store did for at least one: that one is tried again the next time.
pub(crate) async fn sweep_uploads(app: &App) -> Result<(), InternalError> {
    let now = app.clock.now();
    let (mut after, mut expired) = (UploadId::new(Uuid::nil()), 0);
    loop {
        let ids = query::expired(&mut *app.db.read().await?, now, after).await?;
        let Some(last) = ids.last() else { break };
        after = *last;
        for id in ids {
            expired += i32::from(expire(app, id).await?);
        }
    }
    let (mut after, mut swept, mut failed) = (UploadId::new(Uuid::nil()), 0, None);
    loop {
        let uploads = query::unswept(&mut *app.db.read().await?, now - LATE, after).await?;
        let Some(last) = uploads.last() else { break };
        after = last.id;
        for upload in &uploads {
            match sweep(app, upload).await {
                Ok(()) => swept += 1,
                Err(error) => failed = Some(error),
            }
        }
    }
    let forgotten = query::forget(&mut app.db.write().await?, now - KEPT).await?;
    tracing::info!(expired, swept, forgotten, "uploads were swept");
    failed.map_or(Ok(()), Err)
}

async fn expire(app: &App, id: UploadId) -> Result<bool, InternalError> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let upload = query::lock(tx, id).await?;
            let due = |upload: &Upload| upload.ended_at.is_none() && !upload.is_open(now) && !upload.is_completing(now);
            let Some(upload) = upload.filter(due) else { return Ok(false) };
            let ended = query::end(tx, &upload, UploadStatus::Expired, None, now).await?;
            remove_later(tx, app, &upload, "expired", &Leftovers::of(&upload)).await?;
            tell(tx, app, &ended).await?;
            Ok(true)
        })
        .await
}

async fn sweep(app: &App, upload: &Upload) -> Result<(), InternalError> {
    let mut leftovers = Leftovers::of(upload);
    // Parts go where the file is kept.
    if upload.part_bytes.is_some() && upload.status == UploadStatus::Completed {
        leftovers.keys.clear();
    }
    remove_objects(app, leftovers).await?;
    query::set_swept(&mut app.db.write().await?, upload.id, app.clock.now()).await?;
    Ok(())
}
