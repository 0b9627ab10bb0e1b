//! Images in the schema.

use async_graphql::{Context, Object};

use super::context::app;
use super::error::{Error, Result};
use crate::platform::picture::{Picture, rendition_key};

/// An image in the schema.
#[derive(Clone)]
pub struct ImageObject {
    /// The properties of the picture.
    pub picture: Picture,
    /// The object key of the original.
    pub original: String,
    /// What the object keys of the renditions begin with.
    pub renditions: String,
    /// What the image shows.
    pub alt_text: String,
}

/// An image: JPEG files of several widths, upright and without metadata.
#[Object(name = "Image")]
impl ImageObject {
    /// The URL of a JPEG file of the image. The files are 160, 320, 640, 1280, 1920 and 2560 pixels wide, or as wide as
    /// the original if that is smaller. Shortly after the upload, it is the URL of the original, a JPEG, PNG or WebP
    /// file. The URL is valid for at least a day but changes daily, so do not store it: query it again.
    async fn url(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The width in pixels that the image is shown with, at least 1. The file is the smallest one that \
            is at least as wide, or else the largest one. Defaults to the largest one."
        )]
        width: Option<i32>,
    ) -> Result<String> {
        if let Some(width) = width.filter(|width| *width < 1) {
            return Err(Error::BadInput(format!("width must be at least 1; it is {width}.")));
        }
        let rendition = self.picture.rendition(width).map(|width| rendition_key(&self.renditions, width));
        let key = rendition.as_ref().unwrap_or(&self.original);
        let url = app(ctx).storage.presign_shared(key, app(ctx).clock.now()).await?;
        Ok(url.to_string())
    }

    /// A text to show instead of the image: the name of what it belongs to, such as the title of the course.
    async fn alt_text(&self) -> &str {
        &self.alt_text
    }

    /// The width of the original in pixels.
    async fn width(&self) -> i32 {
        self.picture.width
    }

    /// The height of the original in pixels.
    async fn height(&self) -> i32 {
        self.picture.height
    }

    /// A placeholder to show while the image loads: a ThumbHash (<https://evanw.github.io/thumbhash/>) in base64, some
    /// 25 bytes; null shortly after the upload.
    async fn thumb_hash(&self) -> Option<&str> {
        self.picture.thumb_hash.as_deref()
    }
}
