//! Processes uploaded pictures: makes the JPEG files that pages show.
//!
//! Processing is idempotent: each run writes the same objects.

use crate::media::model::{FileId, MediaFile, UploadPurpose};
use crate::media::query::file as query;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::picture;

/// Makes the renditions of a picture, or notes why it cannot be shown.
///
/// # Errors
/// The store or the database failed. The job must be retried.
pub(crate) async fn process_image(app: &App, id: FileId) -> Result<(), InternalError> {
    let Some(file) = query::by_ids(&*app.db.read().await?, &[id]).await?.pop() else { return Ok(()) };
    let is_done = file.failure.is_some() || file.picture.is_some_and(|picture| picture.is_rendered());
    if is_done || file.purpose != UploadPurpose::Image {
        return Ok(());
    }
    let rendered = match app.storage.get(&file.object_key).await? {
        Some(content) => picture::render(content).await?,
        None => Err("The file has disappeared.".into()),
    };
    let prefix = MediaFile::renditions(id);
    let processed = match rendered {
        Ok(rendered) => Ok(rendered.store(&app.storage, &prefix).await?),
        Err(why) => Err(why),
    };
    let outcome = processed.as_ref().map_err(String::as_str);
    let there =
        app.db.transaction(async |tx| Ok::<_, InternalError>(query::set_picture(tx, id, outcome).await?)).await?;
    match &processed {
        Err(why) => tracing::info!(file = %id.encode(), why, "a picture cannot be shown"),
        // It was deleted in the meantime, without these objects.
        Ok(picture) if !there => {
            for key in picture.keys(&prefix) {
                app.storage.delete(&key).await?;
            }
        }
        Ok(_) => {}
    }
    Ok(())
}

/// Processes a batch of the pictures that an earlier version of the program received.
///
/// # Errors
/// The store or the database failed; the next run continues.
pub(crate) async fn process_old_images(app: &App) -> Result<(), InternalError> {
    let ids = query::unprocessed(&mut *app.db.read().await?).await?;
    for id in ids {
        process_image(app, id).await?;
    }
    Ok(())
}
