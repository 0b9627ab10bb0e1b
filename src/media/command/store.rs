//! Events of the object store, and deletion of objects.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::completion::{Outcome, finish};
use super::{Leftovers, remove_later};
use crate::media::model::{UploadId, UploadStatus, created, owner_of};
use crate::media::query::upload as query;
use crate::platform::App;
use crate::platform::inbox;
use crate::platform::internal_error::InternalError;

/// The name of the job that handles an uploaded object.
pub(crate) const HANDLE_ARRIVAL: &str = "media.handle_arrival";
const SOURCE: &str = "storage";

/// Stores an event of the object store, to be handled by a job.
///
/// The records about uploads are durable when this returns. An event is only a hint: the store is checked before
/// anything is done.
///
/// # Errors
/// The database failed: the store must send the event again.
pub async fn receive_store_event(app: &App, event: &Value) -> Result<(), InternalError> {
    let mut known = Vec::new();
    for (key, record) in created(event).into_iter().filter(|(key, _)| may_be_arrival(key)) {
        match owner_of(&key) {
            // Events have no id that all stores support.
            Some(id) => known.push((id, key, hex::encode(Sha256::digest(record.to_string())))),
            None => tracing::debug!(key, "the store told of an object that is no upload"),
        }
    }
    if known.is_empty() {
        return Ok(());
    }
    app.db
        .transaction(async |tx| {
            for (id, key, digest) in &known {
                let payload = json!({ "upload_id": id, "key": key });
                inbox::receive(tx, &app.clock, SOURCE, digest, HANDLE_ARRIVAL, &payload).await?;
            }
            Ok(())
        })
        .await
}

/// Returns whether clients may have uploaded the object: renditions, posters and segments come from this program.
fn may_be_arrival(key: &str) -> bool {
    key.starts_with("uploads/") || key.ends_with("/original")
}

/// Completes the upload of a received object, or deletes the object if the upload has ended.
///
/// # Errors
/// The database or the store failed.
pub(crate) async fn handle_arrival(app: &App, id: UploadId, key: &str) -> Result<(), InternalError> {
    let Some(upload) = query::find(&mut *app.db.read().await?, id).await? else {
        tracing::debug!(key, "an object arrived for an upload that is not known; the reconciliation finds it");
        return Ok(());
    };
    // A final object or a rendition.
    if key != upload.arrival_key() {
        return Ok(());
    }
    let upload = match finish(app, id).await? {
        Outcome::Ended(upload) => upload,
        Outcome::Busy(_) | Outcome::NotThere(_) => return Ok(()),
    };
    let is_kept = upload.part_bytes.is_some() && upload.status == UploadStatus::Completed;
    // The sweep ends an upload that has expired.
    if is_kept || upload.ended_at.is_none() {
        return Ok(());
    }
    // The object was uploaded after the upload had ended.
    let again = app.clock.uuid().to_string();
    app.db
        .transaction(async |tx| {
            let mut leftovers = Leftovers::of(&upload);
            leftovers.parts = None;
            remove_later(tx, app, &upload, &again, &leftovers).await
        })
        .await
}

/// Deletes objects and aborts a multipart upload.
///
/// # Errors
/// The store failed.
pub(crate) async fn remove_objects(app: &App, leftovers: Leftovers) -> Result<(), InternalError> {
    if let Some((key, id)) = &leftovers.parts {
        app.storage.abort_parts(key, id).await?;
    }
    for key in &leftovers.keys {
        app.storage.delete(key).await?;
    }
    Ok(())
}
