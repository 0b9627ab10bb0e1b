//! What the object store tells, and what it is told to remove.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::completion::{Outcome, finish};
use super::{Leftovers, remove_later};
use crate::media::model::{UploadId, UploadStatus, created, owner_of};
use crate::media::query::upload as query;
use crate::platform::App;
use crate::platform::inbox;
use crate::platform::internal_error::InternalError;

/// The job that looks at what has arrived.
pub(crate) const HANDLE_ARRIVAL: &str = "media.handle_arrival";
const SOURCE: &str = "storage";

/// Takes an event of the store: what it says about objects of ours is kept when this returns. What it says is a hint:
/// the store is asked what is there before anything is done.
///
/// # Errors
/// The database failed: the event must be sent again.
pub async fn receive_store_event(app: &App, event: &Value) -> Result<(), InternalError> {
    let mut known = Vec::new();
    for (key, record) in created(event) {
        match owner_of(&key) {
            // An event has no number of its own that all stores agree on.
            Some(id) => known.push((id, key, hex::encode(Sha256::digest(record.to_string())))),
            None => tracing::info!(key, "the store told of an object that is no upload"),
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

/// Completes an upload whose file has arrived; removes what has arrived for one that has ended.
///
/// # Errors
/// The database or the store failed.
pub(crate) async fn handle_arrival(app: &App, id: UploadId, key: &str) -> Result<(), InternalError> {
    let Some(upload) = query::find(&mut *app.db.read().await?, id).await? else {
        tracing::info!(key, "an object arrived for an upload that is not known; the reconciliation finds it");
        return Ok(());
    };
    // What came of it, and what is made of that.
    if key != upload.arrival_key() {
        return Ok(());
    }
    let upload = match finish(app, id).await? {
        Outcome::Ended(upload) => upload,
        Outcome::Busy(_) | Outcome::NotThere(_) => return Ok(()),
    };
    let is_kept = upload.part_bytes.is_some() && upload.status == UploadStatus::Completed;
    // One that has expired and does not know it yet is ended by the sweep.
    if is_kept || upload.ended_at.is_none() {
        return Ok(());
    }
    // Sent, or sent again, when nobody wanted it any more.
    let again = app.clock.uuid().to_string();
    app.db
        .transaction(async |tx| {
            let mut leftovers = Leftovers::of(&upload);
            leftovers.parts = None;
            remove_later(tx, app, &upload, &again, &leftovers).await
        })
        .await
}

/// Removes objects.
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
