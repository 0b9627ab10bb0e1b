//! Images of courses, categories, channels and users in the schema.

use async_graphql::Context;

use crate::graphql::context::loaders;
use crate::graphql::{ImageObject, Result, Sequential};
use crate::media::loader::PictureById;
use crate::media::model::{FileId, MediaFile};

/// Returns the image of a file that was uploaded with the purpose IMAGE; `None` if it cannot be shown.
///
/// # Errors
/// The database failed.
pub async fn image(ctx: &Context<'_>, id: FileId, alt_text: &str) -> Result<Option<Sequential<ImageObject>>> {
    let Some(found) = loaders(ctx).load(PictureById(id)).await? else { return Ok(None) };
    let (original, picture) = (found.0.clone(), found.1.clone());
    let image = ImageObject { picture, original, renditions: MediaFile::renditions(id), alt_text: alt_text.to_owned() };
    Ok(Some(Sequential(image)))
}
