//! Export and deletion of a user's personal data in uploads, videos and files.

use serde_json::{Value, json};
use uuid::Uuid;

use super::upload::cancel;
use crate::accounts::{UserId, viewer};
use crate::channels;
use crate::graphql::export::items;
use crate::graphql::{Error, Result};
use crate::media::model::{MediaFile, Upload, Video};
use crate::media::port::release;
use crate::media::query::{file, upload as query};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::internal_error::InternalError;

/// Returns the viewer's uploads, videos and files, for the export of their data.
///
/// # Errors
/// The actor is not signed in.
pub async fn my_data(app: &App, actor: &Actor) -> Result<Value> {
    let id = viewer(actor)?;
    let mut conn = app.db.read().await?;
    let uploads = query::all_of(&mut conn, id).await?;
    let videos = query::videos_of(&mut conn, id).await?;
    let files = file::owned(&mut conn, id).await?;
    Ok(json!({
        "uploads": items(uploads.iter().map(upload)),
        "videos": items(videos.iter().map(video)),
        "files": items(files.iter().map(media_file)),
    }))
}

fn upload(upload: &Upload) -> Value {
    json!({
        "id": upload.id.encode(),
        "purpose": upload.purpose,
        "filename": upload.filename,
        "contentType": upload.content_type,
        "sizeBytes": upload.size_bytes,
        "status": upload.status,
        "failure": upload.failure,
        "createdAt": upload.created_at,
        "expiresAt": upload.expires_at,
        "endedAt": upload.ended_at,
    })
}

fn video(video: &Video) -> Value {
    json!({
        "id": video.id.encode(),
        "filename": video.filename,
        "contentType": video.content_type,
        "sizeBytes": video.size_bytes,
        "durationMs": video.duration_ms,
        "createdAt": video.created_at,
    })
}

fn media_file(file: &MediaFile) -> Value {
    json!({
        "id": file.id.encode(),
        "purpose": file.purpose,
        "filename": file.filename,
        "contentType": file.content_type,
        "sizeBytes": file.size_bytes,
        "createdAt": file.created_at,
    })
}

/// Cancels the uploads of a deleted user and removes personal data from the rest.
///
/// Videos and files that courses use stay; all others are deleted, also the user's picture and the image of the default
/// channel.
///
/// # Errors
/// The database failed; an upload is being completed, and the job must be retried.
pub(crate) async fn forget_person(app: &App, user: UserId) -> std::result::Result<(), InternalError> {
    let open = query::open_of(&mut *app.db.read().await?, user).await?;
    for id in open {
        match cancel(app, id).await {
            // Canceled, now or before.
            Ok(_) => {}
            Err(Error::Internal(error)) => return Err(error),
            Err(_) => {
                let found = query::find(&mut *app.db.read().await?, id).await?;
                if found.is_some_and(|upload| upload.ended_at.is_none()) {
                    return Err(InternalError::new("an upload of a deleted user is still being completed"));
                }
            }
        }
    }
    app.db
        .transaction(async |tx| {
            let now = app.clock.now();
            let channels = channels::remove_images(tx, user, now).await?;
            let shown: Vec<Uuid> = channels.into_iter().map(|id| id.uuid()).chain([user.uuid()]).collect();
            release(tx, app, &shown).await?;
            query::forget_owner(tx, user, now).await?;
            file::forget_owner(tx, user, now - app.config.video.grace).await?;
            Ok(())
        })
        .await
}
