//! Small pictures.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// A red pixel.
pub(crate) const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\x0cIDATx\x9cc8\xc1\xc0\0\
    \0\x02\x5c\0\xc9C\xc8\x12F\0\0\0\0IEND\xaeB`\x82";
/// A blue pixel.
pub(crate) const OTHER_PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\x0cIDATx\x9cc``8\x01\
    \0\0\xcc\0\xc9'r\xc1Z\0\0\0\0IEND\xaeB`\x82";

/// A picture of this size, in one color.
pub(crate) fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let picture = RgbImage::from_pixel(width, height, Rgb([180, 90, 30]));
    DynamicImage::ImageRgb8(picture).write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// The width and height of a JPEG file.
pub(crate) fn jpeg_size(file: &[u8]) -> (u32, u32) {
    let picture = image::load_from_memory_with_format(file, ImageFormat::Jpeg).unwrap();
    (picture.width(), picture.height())
}

/// A PNG file of a few bytes that says that it has 30,000 × 30,000 pixels.
pub(crate) fn bomb() -> Vec<u8> {
    let mut file = PNG.to_vec();
    let header = [&b"IHDR"[..], &30_000_u32.to_be_bytes(), &30_000_u32.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    file[12..29].copy_from_slice(&header);
    let sum = !header.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 })
    });
    file[29..33].copy_from_slice(&sum.to_be_bytes());
    file
}
