//! Pictures and files that are kept, and how they end.
//!
//! A file that nothing refers to is deleted after the grace: from when it arrived, or from when it was let go. The row
//! is what decides: `port.rs` and [`delete_unused_files`] lock it, always in the order of the ids.

use std::time::Duration;

use super::{Leftovers, remove_once};
use crate::media::model::{FileId, MediaFile};
use crate::media::query::file as query;
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// How long the address of a download is good: it has to begin by then.
const DOWNLOAD: Duration = Duration::from_secs(15 * 60);

/// Deletes the files that nothing has referred to for as long as the grace lasts.
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
    // Whoever wrote the time without looking does not win against a reference.
    if query::is_used(tx, id).await? {
        query::set_used(tx, &[id]).await?;
        return Ok(());
    }
    query::delete(tx, id).await?;
    tracing::info!(file = %id.encode(), "a file was deleted");
    let leftovers = Leftovers { keys: vec![file.object_key], parts: None };
    remove_once(tx, app, &id.encode(), &leftovers).await
}

/// Where to download a file from, for a while.
///
/// # Errors
/// The address can't be signed.
pub async fn download_url(app: &App, file: &MediaFile) -> Result<String, InternalError> {
    app.storage.presign_get(&file.object_key, DOWNLOAD).await
}
