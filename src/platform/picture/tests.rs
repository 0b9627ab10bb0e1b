//! Tests of the decoding and of the renditions.

use image::ImageEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{Rgba, RgbaImage};

use super::*;

/// Red on the left, blue on the right.
fn halves(width: u32, height: u32) -> DynamicImage {
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, _| {
        if x < width / 2 { Rgb([250, 0, 0]) } else { Rgb([0, 0, 250]) }
    }))
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// An EXIF block with only an orientation (CIPA DC-008, 4.6.4).
fn exif(orientation: u8) -> Vec<u8> {
    let mut block = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    block.extend([orientation, 0, 0, 0, 0, 0, 0]);
    block
}

/// A PNG file whose header declares this size, without its pixels.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut file = encoded(&DynamicImage::new_rgb8(1, 1), ImageFormat::Png);
    file[16..20].copy_from_slice(&width.to_be_bytes());
    file[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc32(&file[12..29]);
    file[29..33].copy_from_slice(&sum.to_be_bytes());
    file
}

/// The checksum of a PNG chunk (PNG, 3rd edition, D).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

async fn rendered(file: Vec<u8>) -> (Picture, Vec<RgbImage>) {
    let measured = measure(file.clone().into()).await.unwrap().unwrap();
    let Rendered { picture, files } = render(file.into()).await.unwrap().unwrap();
    assert_eq!((measured.width, measured.height), (picture.width, picture.height));
    assert!(!measured.is_rendered() && measured.thumb_hash.is_none() && picture.is_rendered());
    let files: Vec<RgbImage> = files
        .iter()
        .map(|file| image::load_from_memory_with_format(file, ImageFormat::Jpeg).unwrap().to_rgb8())
        .collect();
    let widths: Vec<i32> = files.iter().map(|file| pixels(file.width())).collect();
    assert_eq!(widths, picture.widths);
    (picture, files)
}

async fn refused(file: Vec<u8>) -> String {
    let measured = measure(file.clone().into()).await.unwrap();
    let why = render(file.into()).await.unwrap().unwrap_err();
    if let Err(earlier) = measured {
        assert_eq!(earlier, why);
    }
    why
}

fn is_about(pixel: &Rgb<u8>, expected: [u8; 3]) -> bool {
    pixel.0.iter().zip(expected).all(|(found, expected)| found.abs_diff(expected) < 24)
}

#[tokio::test]
async fn each_format_is_rendered_in_the_widths_below_its_own() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let (picture, files) = rendered(encoded(&halves(1000, 500), format)).await;
        assert_eq!((picture.width, picture.height), (1000, 500), "{format:?}");
        assert_eq!(picture.widths, [160, 320, 640, 1000]);
        for file in files {
            assert_eq!(file.height(), file.width() / 2);
            assert!(is_about(file.get_pixel(10, 10), [250, 0, 0]), "{format:?}");
            assert!(is_about(file.get_pixel(file.width() - 10, 10), [0, 0, 250]), "{format:?}");
        }
        let hash = STANDARD.decode(picture.thumb_hash.unwrap()).unwrap();
        assert!((5..=25).contains(&hash.len()), "{}", hash.len());
        let aspect = thumbhash::thumb_hash_to_approximate_aspect_ratio(&hash).unwrap();
        assert!((1.5..2.5).contains(&aspect), "{aspect}");
    }
}

#[tokio::test]
async fn the_largest_rendition_has_at_most_2560_pixels() {
    for (size, widths) in [
        ((1, 1), vec![1]),
        ((1, 900), vec![1]),
        ((160, 90), vec![160]),
        ((161, 1), vec![160, 161]),
        ((2560, 10), vec![160, 320, 640, 1280, 1920, 2560]),
        ((4000, 3), vec![160, 320, 640, 1280, 1920, 2560]),
    ] {
        let (picture, _) = rendered(encoded(&halves(size.0, size.1), ImageFormat::Png)).await;
        assert_eq!(picture.widths, widths, "{size:?}");
        assert_eq!((picture.width, picture.height), (pixels(size.0), pixels(size.1)));
    }
}

#[test]
fn the_next_larger_rendition_is_chosen() {
    let mut picture = Picture { width: 3000, height: 10, thumb_hash: None, widths: vec![160, 320, 2560] };
    for (asked, served) in [
        (None, 2560),
        (Some(0), 160),
        (Some(160), 160),
        (Some(161), 320),
        (Some(321), 2560),
        (Some(2560), 2560),
        (Some(i32::MAX), 2560),
    ] {
        assert_eq!(picture.rendition(asked), Some(served), "{asked:?}");
    }
    assert_eq!(picture.keys("files/1/"), ["files/1/w160.jpg", "files/1/w320.jpg", "files/1/w2560.jpg"]);
    picture.widths.clear();
    assert_eq!((picture.rendition(Some(1)), picture.rendition(None)), (None, None));
}

#[tokio::test]
async fn renditions_are_upright_and_have_no_metadata() {
    // Each orientation, with the colors of the left and right, or the top and bottom, edge when it is displayed.
    let (red, blue) = ([250, 0, 0], [0, 0, 250]);
    for (orientation, turned, first, last) in [
        (1, false, red, blue),
        (2, false, blue, red),
        (3, false, blue, red),
        (4, false, red, blue),
        (5, true, red, blue),
        (6, true, red, blue),
        (7, true, blue, red),
        (8, true, blue, red),
    ] {
        let mut file = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut file, 90);
        encoder.set_exif_metadata(exif(orientation)).unwrap();
        halves(400, 200).write_with_encoder(encoder).unwrap();
        let (picture, files) = rendered(file.clone()).await;
        let size = if turned { (200, 400) } else { (400, 200) };
        assert_eq!((picture.width, picture.height), size, "{orientation}");
        let end = |file: &RgbImage| if turned { (10, file.height() - 10) } else { (file.width() - 10, 10) };
        for shown in &files {
            assert!(is_about(shown.get_pixel(10, 10), first), "{orientation}: {:?}", shown.get_pixel(10, 10));
            let (x, y) = end(shown);
            assert!(is_about(shown.get_pixel(x, y), last), "{orientation}: {:?}", shown.get_pixel(x, y));
        }
        let made = render(file.into()).await.unwrap().unwrap();
        assert!(made.files.iter().all(|file| !file.windows(4).any(|bytes| bytes == b"Exif")));
    }
}

#[tokio::test]
async fn transparent_pixels_become_white() {
    let picture = RgbaImage::from_fn(300, 300, |x, _| match x {
        0..100 => Rgba([0, 0, 0, 0]),
        100..200 => Rgba([0, 0, 0, 128]),
        _ => Rgba([0, 0, 0, 255]),
    });
    let picture = DynamicImage::ImageRgba8(picture);
    let (mut png, mut webp) = (Vec::new(), Vec::new());
    picture.write_with_encoder(PngEncoder::new(&mut png)).unwrap();
    picture.write_with_encoder(WebPEncoder::new_lossless(&mut webp)).unwrap();
    for file in [png, webp] {
        let (_, files) = rendered(file).await;
        let largest = files.last().unwrap();
        assert!(is_about(largest.get_pixel(50, 50), [255; 3]), "{:?}", largest.get_pixel(50, 50));
        assert!(is_about(largest.get_pixel(150, 50), [127; 3]), "{:?}", largest.get_pixel(150, 50));
        assert!(is_about(largest.get_pixel(250, 50), [0; 3]), "{:?}", largest.get_pixel(250, 50));
    }
}

#[tokio::test]
async fn sixteen_bits_and_gray_become_eight_bits_in_color() {
    for picture in [halves(200, 100).to_rgb16().into(), DynamicImage::ImageRgba16(halves(200, 100).to_rgba16())] {
        let (_, files) = rendered(encoded(&picture, ImageFormat::Png)).await;
        assert!(is_about(files[0].get_pixel(10, 10), [250, 0, 0]));
    }
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let gray = DynamicImage::ImageLuma8(halves(200, 100).to_luma8());
        rendered(encoded(&gray, format)).await;
    }
}

#[tokio::test]
async fn a_small_color_profile_for_rgb_is_kept() {
    let mut profile = vec![0; 600];
    profile[16..20].copy_from_slice(b"RGB ");
    let mut cmyk = profile.clone();
    cmyk[16..20].copy_from_slice(b"CMYK");
    let mut large = profile.clone();
    large.resize(LARGEST_PROFILE + 1, 0);
    for (given, kept) in [(profile, true), (cmyk, false), (large, false)] {
        let mut file = Vec::new();
        let mut encoder = PngEncoder::new(&mut file);
        encoder.set_icc_profile(given.clone()).unwrap();
        halves(300, 20).write_with_encoder(encoder).unwrap();
        for made in render(file.into()).await.unwrap().unwrap().files {
            let reader = ImageReader::with_format(Cursor::new(made), ImageFormat::Jpeg);
            let found = reader.into_decoder().unwrap().icc_profile().unwrap();
            assert_eq!(found, kept.then(|| given.clone()));
        }
    }
}

#[tokio::test]
async fn what_is_no_picture_is_refused_with_a_message() {
    let damaged = "The picture cannot be decoded: the file is damaged.";
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let whole = encoded(&halves(700, 300), format);
        for length in [whole.len() / 2, whole.len() - 20, 40] {
            assert_eq!(refused(whole[..length].to_vec()).await, damaged, "{format:?}, {length}");
        }
    }
    let whole = encoded(&halves(700, 300), ImageFormat::Jpeg);
    assert_eq!(refused(whole[..40].to_vec()).await, damaged);
    let other = "The file is not a JPEG, PNG or WebP picture.";
    for file in
        [&b"Not a picture."[..], b"", b"GIF89a\x01\0\x01\0\0\0\0;", b"<svg xmlns='http://www.w3.org/2000/svg'/>"]
    {
        assert_eq!(refused(file.to_vec()).await, other);
    }
}

#[tokio::test]
async fn a_decompression_bomb_is_refused_by_its_header() {
    for (width, height, why) in [
        (30_000, 30_000, "The picture has 30000 × 30000 pixels; at most 16384 per side are allowed."),
        (1, 16_385, "The picture has 1 × 16385 pixels; at most 16384 per side are allowed."),
        (10_000, 5001, "The picture has 10000 × 5001 pixels; at most 50 megapixels are allowed."),
    ] {
        assert_eq!(measure(bomb(width, height).into()).await.unwrap().unwrap_err(), why);
        assert_eq!(refused(bomb(width, height)).await, why);
    }
    // At the limit the header is fine; the pixels are missing.
    let picture = measure(bomb(10_000, 5000).into()).await.unwrap().unwrap();
    assert_eq!((picture.width, picture.height), (10_000, 5000));
    assert!(refused(bomb(10_000, 5000)).await.contains("damaged"));
}
