//! Commands for pictures and files, and their deletion.
//!
//! An unreferenced file is deleted after the grace period, which begins when the upload is completed or the last
//! reference is removed. The row is locked for every change of references (`port.rs`) and for deletion
//! ([`delete_unused_files`]), always in the order of the ids.

use std::time::Duration;

use super::{Leftovers, remove_once};
use crate::media::model::{FileId, MediaFile};
use crate::media::query::file as query;
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// The lifetime of a download URL: the download must start before it expires.
const DOWNLOAD: Duration = Duration::from_secs(15 * 60);

/// Deletes the files that have been unreferenced for the grace period.
///
/// # Errors
/// The database failed.
pub(crate) async fn delete_unused_files(app: &App) -> Result<(), InternalError> {
    loop {
        let before = app.clock.now() - app.config.video.grace;
        let due = query::unused(&mut *app.db.read().await?, before).await?;
        if due.is_empty() {
            return Ok(());
        }
        for id in due {
            app.db.transaction(async |tx| delete(tx, app, id).await).await?;
        }
    }
}

async fn delete(tx: &mut Tx, app: &App, id: FileId) -> Result<(), InternalError> {
    let before = app.clock.now() - app.config.video.grace;
    let file = query::lock(tx, &[id]).await?.pop();
    let Some(file) = file.filter(|file| file.unused_since.is_some_and(|since| since <= before)) else { return Ok(()) };
    // References take precedence over the time, in case it was set without checking them.
    if query::is_used(tx, id).await? {
        query::set_used(tx, &[id]).await?;
        return Ok(());
    }
    query::delete(tx, id).await?;
    tracing::info!(file = %id.encode(), "a file was deleted");
    let leftovers = Leftovers { keys: file.keys(), parts: None };
    remove_once(tx, app, &id.encode(), &leftovers).await
}

/// Returns a signed URL to download a file, valid for 15 minutes.
///
/// # Errors
/// The URL cannot be signed.
pub async fn download_url(app: &App, file: &MediaFile) -> Result<String, InternalError> {
    app.storage.presign_get(&file.object_key, DOWNLOAD).await
}
