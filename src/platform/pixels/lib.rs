//! What Lyceum does with every pixel of a picture.
//!
//! The libraries' functions are generic and so are compiled with the crate that calls them. In this crate they are
//! optimized in debug builds as well (`[profile.dev.package]`), which makes resizing a hundred times as fast there.

use std::io::Cursor;

use fast_image_resize::Resizer;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageEncoder, ImageError, ImageFormat};

/// Resizes a picture to a width and a height in pixels.
///
/// # Errors
/// The picture has a kind of pixels that cannot be resized.
pub fn resize(
    from: &DynamicImage,
    (width, height): (u32, u32),
) -> Result<DynamicImage, fast_image_resize::ResizeError> {
    let mut to = DynamicImage::new(width, height, from.color());
    Resizer::new().resize(from, &mut to, None)?;
    Ok(to)
}

/// Encodes a picture as a JPEG file, with a quality of at most 100 and perhaps a color profile.
///
/// # Errors
/// The picture is too large for a JPEG file, or the profile is.
pub fn jpeg(picture: &DynamicImage, quality: u8, profile: Option<&[u8]>) -> Result<Vec<u8>, ImageError> {
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut file, quality);
    if let Some(profile) = profile {
        encoder.set_icc_profile(profile.to_vec()).map_err(ImageError::Unsupported)?;
    }
    picture.write_with_encoder(encoder)?;
    Ok(file)
}

/// Encodes a picture as a PNG file.
///
/// # Errors
/// The picture has a kind of pixels that PNG does not have.
pub fn png(picture: &DynamicImage) -> Result<Vec<u8>, ImageError> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Png)?;
    Ok(file.into_inner())
}
