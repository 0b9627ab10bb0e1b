//! The container formats of videos, and their detection.

/// A container format of videos.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VideoType {
    /// MPEG-4.
    Mp4,
    /// QuickTime, on which MPEG-4 is based.
    QuickTime,
    /// WebM, a subset of Matroska that browsers play.
    Webm,
    /// Matroska.
    Matroska,
}

impl VideoType {
    pub(crate) const ALL: [VideoType; 4] = [VideoType::Mp4, VideoType::QuickTime, VideoType::Webm, VideoType::Matroska];

    /// Returns the media type.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            VideoType::Mp4 => "video/mp4",
            VideoType::QuickTime => "video/quicktime",
            VideoType::Webm => "video/webm",
            VideoType::Matroska => "video/x-matroska",
        }
    }

    /// Parses a media type.
    pub(crate) fn named(media_type: &str) -> Option<VideoType> {
        VideoType::ALL.into_iter().find(|file| file.as_str() == media_type)
    }

    /// Returns whether a file declared as one type may be of the other.
    ///
    /// Operating systems determine the type from the file extension.
    pub(crate) fn is_kin_of(self, other: VideoType) -> bool {
        let boxes = |file| matches!(file, VideoType::Mp4 | VideoType::QuickTime);
        boxes(self) == boxes(other)
    }

    /// Detects the type of a file from its first bytes.
    ///
    /// Sources: ISO/IEC 14496-12, 4.3 (the file type box); RFC 8794, 11.2 (the EBML header).
    pub(crate) fn of(start: &[u8]) -> Option<VideoType> {
        if start.starts_with(b"\x1a\x45\xdf\xa3") {
            return of_doc_type(start);
        }
        if start.get(4..8) != Some(b"ftyp") {
            return None;
        }
        match start.get(8..12)? {
            b"qt  " => Some(VideoType::QuickTime),
            // Pictures and audio files have the same structure.
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"mif1" | b"msf1" | b"avif" | b"avis" | b"M4A "
            | b"M4B " | b"crx " => None,
            _ => Some(VideoType::Mp4),
        }
    }
}

/// Detects the type from the header element `DocType` (0x4282).
///
/// The length of such a short string is one byte with the first bit set.
fn of_doc_type(start: &[u8]) -> Option<VideoType> {
    let place = start.windows(2).position(|pair| pair == b"\x42\x82")?;
    let length = usize::from(start.get(place + 2)?.checked_sub(0x80)?);
    let name = start.get(place + 3..place + 3 + length)?;
    match name.split(|byte| *byte == 0).next()? {
        b"webm" => Some(VideoType::Webm),
        b"matroska" => Some(VideoType::Matroska),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_how_they_begin() {
        let cases: [(&[u8], Option<VideoType>); 13] = [
            (b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41", Some(VideoType::Mp4)),
            (b"\0\0\0\x18ftypmp42\0\0\0\0", Some(VideoType::Mp4)),
            (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", Some(VideoType::QuickTime)),
            (b"\0\0\0\x18ftypheic\0\0\0\0", None),
            (b"\0\0\0\x1cftypM4A \0\0\0\0", None),
            (b"\0\0\0\x18ftyp", None),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm\x42\x87\x81\x04", Some(VideoType::Webm)),
            (b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01\x42\x82\x88matroska\x42\x87\x81\x04", Some(VideoType::Matroska)),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84evil\x42\x87", None),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84we", None),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x04webm", None),
            (b"#!/bin/sh\nftyp", None),
            (b"", None),
        ];
        for (start, expected) in cases {
            assert_eq!(VideoType::of(start), expected, "{start:?}");
        }
        for file in VideoType::ALL {
            assert_eq!(VideoType::named(file.as_str()), Some(file));
            let kin = VideoType::ALL.into_iter().filter(|other| file.is_kin_of(*other)).count();
            assert_eq!(kin, 2, "{file:?}");
        }
        assert_eq!(VideoType::named("video/mp4; codecs=avc1"), None);
    }
}
