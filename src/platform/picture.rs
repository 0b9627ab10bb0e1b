//! Pictures: their limits, and the JPEG files of fixed widths that pages show instead of the originals.
//!
//! One picture is decoded at a time, because the largest takes up to half a gigabyte.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use diesel::deserialize::{FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{Output, ToSql};
use diesel::sql_types::Jsonb;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb, RgbImage};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::internal_error::InternalError;
use super::storage::{Headers, Storage};

/// The widths of the renditions, in pixels. Those that are not smaller than the original are left out.
const WIDTHS: [u32; 5] = [160, 320, 640, 1280, 1920];
/// The width of the largest rendition; a smaller original keeps its own.
const WIDEST: u32 = 2560;
const LONGEST_SIDE: u32 = 16_384;
const MOST_PIXELS: u64 = 50_000_000;
/// The memory that a decoded picture and its decoder may take: 50 megapixels with four bytes each, and a reserve.
const MEMORY: u64 = 256 << 20;
/// The quality of the renditions, of 100.
const QUALITY: u8 = 82;
/// The longest side of the picture that a ThumbHash is made of.
const THUMB: u32 = 100;
/// The size of the largest color profile that renditions keep, in bytes. Those of screens and cameras are smaller.
const LARGEST_PROFILE: usize = 4096;

const UNREADABLE: &str = "The picture cannot be decoded: the file is damaged.";

/// Serializes the decoding.
static TURN: Semaphore = Semaphore::const_new(1);

/// The properties of a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Jsonb)]
#[serde(rename_all = "camelCase")]
pub struct Picture {
    /// The width in pixels, as it is displayed.
    pub width: i32,
    /// The height in pixels, as it is displayed.
    pub height: i32,
    /// The ThumbHash in base64; `None` until the renditions exist.
    pub thumb_hash: Option<String>,
    /// The widths of the renditions, in ascending order; empty until they exist.
    pub widths: Vec<i32>,
}

impl Picture {
    fn unrendered((width, height): (u32, u32)) -> Picture {
        Picture { width: pixels(width), height: pixels(height), thumb_hash: None, widths: Vec::new() }
    }

    /// Returns whether the renditions exist.
    pub fn is_rendered(&self) -> bool {
        !self.widths.is_empty()
    }

    /// Returns the width of the smallest rendition that is at least `width` wide, or of the largest one.
    ///
    /// `None` if the renditions do not exist.
    pub fn rendition(&self, width: Option<i32>) -> Option<i32> {
        let enough = self.widths.iter().copied().find(|own| width.is_some_and(|width| *own >= width));
        enough.or(self.widths.last().copied())
    }

    /// Returns the keys of the renditions, which begin with `prefix`.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        self.widths.iter().map(|width| rendition_key(prefix, *width)).collect()
    }
}

impl ToSql<Jsonb, Pg> for Picture {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> diesel::serialize::Result {
        let value = serde_json::to_value(self)?;
        <Value as ToSql<Jsonb, Pg>>::to_sql(&value, &mut out.reborrow())
    }
}

impl FromSql<Jsonb, Pg> for Picture {
    fn from_sql(value: PgValue<'_>) -> diesel::deserialize::Result<Picture> {
        Ok(serde_json::from_value(<Value as FromSql<Jsonb, Pg>>::from_sql(value)?)?)
    }
}

/// Returns the key of a rendition.
pub fn rendition_key(prefix: &str, width: i32) -> String {
    format!("{prefix}w{width}.jpg")
}

/// A picture with the content of its renditions.
#[derive(Debug)]
pub struct Rendered {
    /// The properties.
    pub picture: Picture,
    /// The JPEG files, in the order of `picture.widths`.
    files: Vec<Bytes>,
}

impl Rendered {
    /// Stores the renditions at keys that begin with `prefix`. Clients may cache them forever.
    ///
    /// # Errors
    /// The store failed.
    pub async fn store(self, storage: &Storage, prefix: &str) -> Result<Picture, InternalError> {
        let headers = Headers::of("image/jpeg").kept_forever();
        for (key, file) in self.picture.keys(prefix).iter().zip(self.files) {
            storage.put_as(key, &headers, file).await?;
        }
        Ok(self.picture)
    }
}

/// The outcome of looking at a file: a result, or why the file is unusable, for its owner.
pub type Verdict<T> = Result<T, String>;

/// Reads the size of a picture without decoding it, and checks the limits.
///
/// # Errors
/// The program is stopping.
pub async fn measure(file: Bytes) -> Result<Verdict<Picture>, InternalError> {
    let reading = tokio::task::spawn_blocking(move || {
        let (_, size) = open(&file)?;
        Ok(Picture::unrendered(size))
    });
    undisturbed(reading.await)
}

/// Decodes a picture and makes its renditions. Waits while another one is being decoded.
///
/// The renditions are JPEG files on white, upright, without metadata: neither place nor camera.
///
/// # Errors
/// The program is stopping.
pub async fn render(file: Bytes) -> Result<Verdict<Rendered>, InternalError> {
    let turn = TURN.acquire().await?;
    let working = tokio::task::spawn_blocking(move || {
        let _until_done = turn;
        made_of(&file)
    });
    undisturbed(working.await)
}

/// Turns a panic of a decoder into a verdict.
fn undisturbed<T>(done: Result<Verdict<T>, tokio::task::JoinError>) -> Result<Verdict<T>, InternalError> {
    match done {
        Ok(verdict) => Ok(verdict),
        Err(error) if error.is_panic() => {
            tracing::warn!(%error, "a decoder panicked");
            Ok(Err(UNREADABLE.into()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Opens a picture within the limits; also returns its size in pixels, as it is displayed.
fn open(file: &[u8]) -> Verdict<(impl ImageDecoder + '_, (u32, u32))> {
    let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(unreadable)?;
    if !matches!(reader.format(), Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)) {
        return Err("The file is not a JPEG, PNG or WebP picture.".into());
    }
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    let (width, height) = decoder.dimensions();
    if width.max(height) > LONGEST_SIDE {
        return Err(format!("The picture has {width} × {height} pixels; at most {LONGEST_SIDE} per side are allowed."));
    }
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        let most = MOST_PIXELS / 1_000_000;
        return Err(format!("The picture has {width} × {height} pixels; at most {most} megapixels are allowed."));
    }
    if decoder.total_bytes() > MEMORY {
        return Err("The picture is too large for 16 bits per channel.".into());
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let size = if swaps(orientation) { (height, width) } else { (width, height) };
    Ok((decoder, size))
}

fn unreadable(error: impl std::fmt::Display) -> String {
    tracing::debug!(%error, "a picture is not readable");
    UNREADABLE.into()
}

fn swaps(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

fn made_of(file: &[u8]) -> Verdict<Rendered> {
    let (mut decoder, size) = open(file)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten().filter(|profile| is_kept(profile));
    let original = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    // Turned and flattened after it is made smaller, which takes less memory.
    let target = scaled(size, size.0.min(WIDEST));
    let turned = if swaps(orientation) { (target.1, target.0) } else { target };
    let mut largest = resized(&original, turned)?;
    drop(original);
    largest.apply_orientation(orientation);
    let largest = DynamicImage::ImageRgb8(on_white(&largest));
    let mut picture = Picture::unrendered(size);
    let mut files = Vec::new();
    for width in WIDTHS.into_iter().filter(|width| *width < target.0) {
        files.push(jpeg(&resized(&largest, scaled(target, width))?, profile.as_ref())?);
        picture.widths.push(pixels(width));
    }
    files.push(jpeg(&largest, profile.as_ref())?);
    picture.widths.push(pixels(target.0));
    let longest = target.0.max(target.1);
    let thumb = |side: u32| if longest > THUMB { part(side, THUMB, longest) } else { side };
    let small = resized(&largest, (thumb(target.0), thumb(target.1)))?.to_rgba8();
    let hash = thumbhash::rgba_to_thumb_hash(small.width() as usize, small.height() as usize, small.as_raw());
    picture.thumb_hash = Some(STANDARD.encode(hash));
    Ok(Rendered { picture, files })
}

/// Whether renditions, which are in RGB, can keep a color profile (ICC.1:2022, 7.2.8: the color space).
fn is_kept(profile: &[u8]) -> bool {
    profile.len() <= LARGEST_PROFILE && profile.get(16..20) == Some(b"RGB ")
}

/// Returns `side * by / of`, rounded, and at least 1.
fn part(side: u32, by: u32, of: u32) -> u32 {
    let (side, by, of) = (u64::from(side), u64::from(by), u64::from(of.max(1)));
    u32::try_from((side * by + of / 2) / of).unwrap_or(u32::MAX).max(1)
}

/// Scales a size to a width.
fn scaled((width, height): (u32, u32), to: u32) -> (u32, u32) {
    (to, part(height, to, width))
}

fn resized(from: &DynamicImage, (width, height): (u32, u32)) -> Verdict<DynamicImage> {
    if (from.width(), from.height()) == (width, height) {
        return Ok(from.clone());
    }
    lyceum_pixels::resize(from, (width, height)).map_err(unreadable)
}

/// Puts a picture that may be transparent on white.
fn on_white(picture: &DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let over = |value: u8, alpha: u8| {
        let (value, alpha) = (u32::from(value), u32::from(alpha));
        u8::try_from((value * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(u8::MAX)
    };
    let pixels = picture.to_rgba8();
    let mut flat = RgbImage::new(pixels.width(), pixels.height());
    for (to, from) in flat.pixels_mut().zip(pixels.pixels()) {
        let [red, green, blue, alpha] = from.0;
        *to = Rgb([over(red, alpha), over(green, alpha), over(blue, alpha)]);
    }
    flat
}

fn jpeg(picture: &DynamicImage, profile: Option<&Vec<u8>>) -> Verdict<Bytes> {
    let file = lyceum_pixels::jpeg(picture, QUALITY, profile.map(Vec::as_slice)).map_err(unreadable)?;
    Ok(file.into())
}

fn pixels(side: u32) -> i32 {
    i32::try_from(side).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
