//! Detection of image formats by the first bytes of a file.

/// The accepted image formats: those that every browser displays and that contain no scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageType {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
}

impl ImageType {
    /// All formats.
    pub const ALL: [ImageType; 3] = [ImageType::Jpeg, ImageType::Png, ImageType::Webp];

    /// The media type, such as `image/png`.
    pub fn as_str(self) -> &'static str {
        match self {
            ImageType::Jpeg => "image/jpeg",
            ImageType::Png => "image/png",
            ImageType::Webp => "image/webp",
        }
    }

    /// Returns the format of a media type; `None` if it is not accepted.
    pub fn named(media_type: &str) -> Option<ImageType> {
        ImageType::ALL.into_iter().find(|image| image.as_str() == media_type)
    }

    /// Detects the format by the first bytes of a file (WHATWG MIME Sniffing, 6.1). Returns `None` for other formats.
    pub fn of(start: &[u8]) -> Option<ImageType> {
        if start.starts_with(b"\xff\xd8\xff") {
            Some(ImageType::Jpeg)
        } else if start.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(ImageType::Png)
        } else if start.starts_with(b"RIFF") && start.get(8..14) == Some(b"WEBPVP") {
            Some(ImageType::Webp)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_by_how_they_begin() {
        let cases: [(&[u8], Option<ImageType>); 10] = [
            (b"\xff\xd8\xff\xe0\x00\x10JFIF", Some(ImageType::Jpeg)),
            (b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", Some(ImageType::Png)),
            (b"RIFF\x24\x00\x00\x00WEBPVP8 ", Some(ImageType::Webp)),
            (b"RIFF\x24\x00\x00\x00WAVEfmt ", None),
            (b"RIFF\x24\x00", None),
            (b"<svg xmlns=", None),
            (b"<!doctype html>", None),
            (b"GIF89a", None),
            (b"\xff\xd8", None),
            (b"", None),
        ];
        for (start, expected) in cases {
            assert_eq!(ImageType::of(start), expected, "{start:?}");
        }
        for image in ImageType::ALL {
            assert_eq!(ImageType::named(image.as_str()), Some(image));
        }
        assert_eq!(ImageType::named("image/svg+xml"), None);
    }
}
