//! Monitors uploads without store events, and cleans up after uploads that have ended.

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

/// The minimum interval between checks of an upload, to leave time for an event of the store.
const LOOK: TimeDelta = TimeDelta::seconds(50);
/// The interval between checks of an upload that has a subscriber.
const FOLLOWED: Duration = Duration::from_secs(5);
/// How long a request that started before the expiry may still be in flight.
const LATE: TimeDelta = TimeDelta::hours(24);

/// Checks uploads in progress: updates their progress and completes received files.
///
/// So an upload completes even if the client is gone and the store sends no events or an event is lost.
///
/// # Errors
/// The database failed, or the store failed for at least one upload, which the next run checks again.
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
            // An attempt that crashed after completing the multipart upload leaves the object but no parts.
            let done = parts.is_empty() && upload.received_bytes > 0 && app.storage.head(&key).await?.is_some();
            if !done {
                // An upload that was deleted in the meantime is an error only for its owner.
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

/// Checks an upload every few seconds until it ends, for a subscriber.
///
/// Stores send no events for parts.
pub async fn watch_upload(app: App, id: UploadId) {
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

/// Ends expired uploads and deletes what was received.
///
/// Sweeps each ended upload again a day after its expiry, for what was received late.
///
/// # Errors
/// The database failed, or the store failed for at least one upload, which the next run retries.
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
    if expired > 0 || swept > 0 {
        tracing::info!(expired, swept, "uploads were swept");
    }
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
    // The parts were uploaded to the final key, which is in use.
    if upload.part_bytes.is_some() && upload.status == UploadStatus::Completed {
        leftovers.keys.clear();
    }
    remove_objects(app, leftovers).await?;
    query::set_swept(&mut app.db.write().await?, upload.id, app.clock.now()).await?;
    Ok(())
}
