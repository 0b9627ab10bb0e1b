//! Commands for pictures and files, and their deletion.
//!
//! An unreferenced file is deleted after the grace period, which begins when the upload is completed or the last
//! reference is removed. The row is locked for every change of references (`port.rs`) and for deletion
//! ([`delete_unused_files`]), always in the order of the ids.

use std::time::Duration;

use super::{Leftovers, remove_once};
use crate::graphql::Result;
use crate::media::model::{DeleteFileInput, FileId, MediaFile};
use crate::media::query::file as query;
use crate::media::{error, policy};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// The lifetime of a download URL: the download must start before it expires.
const DOWNLOAD: Duration = Duration::from_secs(15 * 60);

/// Deletes the files that have been unreferenced for the grace period.
///
/// # Errors
/// The database failed.
pub(crate) async fn delete_unused_files(app: &App) -> std::result::Result<(), InternalError> {
    loop {
        let before = app.clock.now() - app.config.video.grace;
        let due = query::unused(&mut *app.db.read().await?, before).await?;
        if due.is_empty() {
            return Ok(());
        }
        for id in due {
            app.db.transaction(async |tx| delete_unused(tx, app, id).await).await?;
        }
    }
}

/// Deletes a picture or file that nothing refers to.
///
/// # Errors
/// The file does not exist, belongs to another user, or is in use.
pub async fn delete_file(app: &App, actor: &Actor, input: DeleteFileInput) -> Result<FileId> {
    let id = input.file_id;
    app.db
        .transaction(async |tx| {
            let file = query::lock(tx, &[id]).await?.pop();
            let file = file.filter(|file| policy::owns(actor, file.owner_id)).ok_or_else(error::no_own_file)?;
            if query::is_used(tx, id).await? {
                return Err(error::file_in_use());
            }
            remove(tx, app, file).await?;
            Ok(id)
        })
        .await
}

async fn delete_unused(tx: &mut Tx, app: &App, id: FileId) -> std::result::Result<(), InternalError> {
    let before = app.clock.now() - app.config.video.grace;
    let file = query::lock(tx, &[id]).await?.pop();
    let Some(file) = file.filter(|file| file.unused_since.is_some_and(|since| since <= before)) else { return Ok(()) };
    // References take precedence over the time, in case it was set without checking them.
    if query::is_used(tx, id).await? {
        query::set_used(tx, &[id]).await?;
        return Ok(());
    }
    remove(tx, app, file).await
}

/// Deletes a locked file, and enqueues the deletion of its object.
async fn remove(tx: &mut Tx, app: &App, file: MediaFile) -> std::result::Result<(), InternalError> {
    query::delete(tx, file.id).await?;
    tracing::info!(file = %file.id.encode(), "a file was deleted");
    let leftovers = Leftovers { keys: file.keys(), parts: None };
    remove_once(tx, app, &file.id.encode(), &leftovers).await
}

/// Returns a signed URL to download a file, valid for 15 minutes.
///
/// # Errors
/// The URL cannot be signed.
pub async fn download_url(app: &App, file: &MediaFile) -> std::result::Result<String, InternalError> {
    app.storage.presign_get(&file.object_key, DOWNLOAD).await
}
