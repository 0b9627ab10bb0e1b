//! The media types that may be uploaded for each purpose, and how they are detected.

use super::{UploadPurpose, VideoType};
use crate::platform::image::ImageType;

/// The number of leading bytes that are enough to detect the type of a file.
pub(crate) const SIGNATURE_LENGTH: u64 = 512;
/// The maximum size of a picture in bytes.
const LARGEST_IMAGE: i64 = 10 << 20;
/// The maximum size of a downloadable file in bytes.
const LARGEST_FILE: i64 = 500 << 20;

/// How files of a media type begin.
enum Start {
    /// With one of several signatures. Each is a list of byte strings with their offsets, all of which must match.
    Signature(&'static [&'static [(usize, &'static [u8])]]),
    /// With the signature of a picture of this media type.
    Picture,
    /// Like text in any encoding: without bytes that do not occur in text.
    Text,
}

use Start::{Picture, Signature, Text};

const ZIP: &[u8] = b"PK\x03\x04";
/// The signature of legacy Microsoft Office documents (MS-CFB, 2.2).
const COMPOUND: Start = Signature(&[&[(0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")]]);
/// The signature of Office Open XML documents, which are ZIP files.
const PACKAGE: Start = Signature(&[&[(0, ZIP)]]);

/// The media types of downloadable files, with their signatures. None of them is executed by a browser.
///
/// Sources: WHATWG MIME Sniffing, 6; APPNOTE 4.3.7 (ZIP); OCF 3.3, 4.3, and ODF 1.3, part 2, 3.3 (the type is the first
/// thing in the ZIP file); ISO 32000-2, 7.5.2 (PDF); RFC 1952, 2.3.1; RFC 9639, 8.1; RFC 3533, 6; ID3v2.4, 3.1.
const FILES: [(&str, Start); 28] = [
    ("application/pdf", Signature(&[&[(0, b"%PDF-")]])),
    // The second signature is that of an empty archive.
    ("application/zip", Signature(&[&[(0, ZIP)], &[(0, b"PK\x05\x06")]])),
    ("application/gzip", Signature(&[&[(0, b"\x1f\x8b\x08")]])),
    ("application/epub+zip", Signature(&[&[(0, ZIP), (30, b"mimetypeapplication/epub+zip")]])),
    ("application/msword", COMPOUND),
    ("application/vnd.ms-excel", COMPOUND),
    ("application/vnd.ms-powerpoint", COMPOUND),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", PACKAGE),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", PACKAGE),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", PACKAGE),
    (
        "application/vnd.oasis.opendocument.text",
        Signature(&[&[(0, ZIP), (30, b"mimetypeapplication/vnd.oasis.opendocument.text")]]),
    ),
    (
        "application/vnd.oasis.opendocument.spreadsheet",
        Signature(&[&[(0, ZIP), (30, b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet")]]),
    ),
    (
        "application/vnd.oasis.opendocument.presentation",
        Signature(&[&[(0, ZIP), (30, b"mimetypeapplication/vnd.oasis.opendocument.presentation")]]),
    ),
    ("application/rtf", Signature(&[&[(0, b"{\\rtf")]])),
    ("application/json", Text),
    ("application/x-ipynb+json", Text),
    ("text/plain", Text),
    ("text/csv", Text),
    ("text/markdown", Text),
    ("image/jpeg", Picture),
    ("image/png", Picture),
    ("image/webp", Picture),
    ("image/gif", Signature(&[&[(0, b"GIF87a")], &[(0, b"GIF89a")]])),
    (
        "audio/mpeg",
        Signature(&[
            &[(0, b"ID3")],
            &[(0, b"\xff\xfb")],
            &[(0, b"\xff\xfa")],
            &[(0, b"\xff\xf3")],
            &[(0, b"\xff\xf2")],
        ]),
    ),
    ("audio/mp4", Signature(&[&[(4, b"ftypM4A ")], &[(4, b"ftypM4B ")]])),
    ("audio/wav", Signature(&[&[(0, b"RIFF"), (8, b"WAVE")]])),
    ("audio/ogg", Signature(&[&[(0, b"OggS")]])),
    ("audio/flac", Signature(&[&[(0, b"fLaC")]])),
];

impl UploadPurpose {
    /// Returns the media types that may be uploaded.
    pub fn types(self) -> Vec<&'static str> {
        match self {
            UploadPurpose::Video => VideoType::ALL.map(VideoType::as_str).into(),
            UploadPurpose::Image => ImageType::ALL.map(ImageType::as_str).into(),
            UploadPurpose::File => FILES.iter().map(|(media_type, _)| *media_type).collect(),
        }
    }

    /// Returns the maximum size in bytes, given the configured `limit` for all files.
    pub fn largest(self, limit: i64) -> i64 {
        match self {
            UploadPurpose::Video => limit,
            UploadPurpose::Image => limit.min(LARGEST_IMAGE),
            UploadPurpose::File => limit.min(LARGEST_FILE),
        }
    }

    /// Returns the media type of a file that was declared as `said` and begins with `start`.
    ///
    /// # Errors
    /// The file is not of the declared type; the message is for the owner.
    pub fn recognise(self, said: &str, start: &[u8]) -> Result<&'static str, String> {
        let other = |found: &str| format!("The file is {found}; {said} was announced.");
        match self {
            UploadPurpose::Video => match VideoType::of(start) {
                Some(found) if VideoType::named(said).is_some_and(|said| said.is_kin_of(found)) => Ok(found.as_str()),
                Some(found) => Err(other(found.as_str())),
                None => Err("The file is not an MP4, QuickTime, WebM or Matroska video.".into()),
            },
            UploadPurpose::Image => match ImageType::of(start) {
                Some(found) if found.as_str() == said => Ok(found.as_str()),
                Some(found) => Err(other(found.as_str())),
                None => Err("The file is not a JPEG, PNG or WebP picture.".into()),
            },
            UploadPurpose::File => match FILES.iter().find(|(media_type, _)| *media_type == said) {
                Some((media_type, begins)) if begins.fits(said, start) => Ok(media_type),
                _ => Err(format!("The file does not begin as {said} does.")),
            },
        }
    }
}

impl Start {
    fn fits(&self, said: &str, start: &[u8]) -> bool {
        let has = |(place, bytes): &(usize, &[u8])| start.get(*place..).is_some_and(|rest| rest.starts_with(bytes));
        match self {
            Signature(rows) => rows.iter().any(|row| row.iter().all(has)),
            Picture => ImageType::of(start).is_some_and(|found| found.as_str() == said),
            // UTF-16 is recognized by its byte order mark.
            Text => start.starts_with(b"\xfe\xff") || start.starts_with(b"\xff\xfe") || !start.iter().any(is_binary),
        }
    }
}

/// Returns whether a byte does not occur in text (WHATWG MIME Sniffing, 3).
fn is_binary(byte: &u8) -> bool {
    matches!(byte, 0x00..=0x08 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_is_said_to_be_has_to_fit_how_it_begins() {
        let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        let epub = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0aaaabbbbcccc\x08\0\0\0mimetypeapplication/epub+zipPK";
        let (mp4, png): (&[u8], &[u8]) = (b"\0\0\0\x20ftypisom\0\0\x02\0", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR");
        use UploadPurpose::{File, Image, Video};
        for (purpose, said, start, right) in [
            (Video, "video/mp4", mp4, true),
            (Video, "video/quicktime", mp4, true),
            (Video, "video/webm", mp4, false),
            (Video, "image/png", png, false),
            (Image, "image/png", png, true),
            (Image, "image/jpeg", png, false),
            (Image, "image/png", b"<svg xmlns=", false),
            (Image, "image/svg+xml", b"<svg xmlns=", false),
            (Image, "image/gif", b"GIF89a", false),
            (File, "image/gif", b"GIF89a", true),
            (File, "image/png", png, true),
            (File, "image/jpeg", png, false),
            (File, "application/pdf", b"%PDF-1.7\n", true),
            (File, "application/pdf", b"<!doctype html>", false),
            (File, "application/pdf", b"\n%PDF-1.7\n", false),
            (File, "application/pdf", b"", false),
            (File, "text/html", b"<!doctype html>", false),
            (File, "image/svg+xml", b"<svg xmlns=", false),
            (File, "video/mp4", mp4, false),
            (File, docx, b"PK\x03\x04\x14\0", true),
            (File, docx, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", false),
            (File, "application/epub+zip", epub, true),
            (File, "application/epub+zip", b"PK\x03\x04\x14\0", false),
            (File, "application/zip", epub, true),
            (File, "text/plain", "schön".as_bytes(), true),
            (File, "text/csv", b"sch\xf6n;a\r\n\tb\x0c", true),
            (File, "text/csv", b"\xff\xfea\0;\0b\0", true),
            (File, "text/csv", b"a,b\0", false),
            (File, "text/plain", b"\x7fELF\x02\x01\x01", false),
            (File, "audio/wav", b"RIFF\x24\0\0\0WAVEfmt ", true),
            (File, "audio/wav", b"RIFF\x24\0\0\0WEBPVP8 ", false),
            (File, "audio/mp4", b"\0\0\0\x1cftypM4A \0\0\0\0", true),
        ] {
            let found = purpose.recognise(said, start);
            assert_eq!(found.is_ok(), right, "{purpose:?} {said} {start:?}: {found:?}");
            assert!(found.is_err() || purpose.types().contains(&found.unwrap()), "{said}");
        }
    }

    #[test]
    fn sizes_keep_to_the_purpose_and_to_the_setting() {
        let largest = |limit| UploadPurpose::ALL.map(|purpose| purpose.largest(limit) >> 20);
        assert_eq!(largest(20_480 << 20), [20_480, 10, 500]);
        assert_eq!(largest(5 << 20), [5, 5, 5]);
    }
}
