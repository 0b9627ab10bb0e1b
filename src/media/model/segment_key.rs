//! Keys of HLS segments (RFC 8216, section 4.3.2.4).
//!
//! The segments of each rendition are encrypted with AES-128, with another key for every two minutes. A player that
//! loses access gets no further key, while the URLs of segments cannot be revoked.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::platform::internal_error::InternalError;

/// The number of consecutive segments of six seconds with one key.
pub(crate) const SEGMENTS_PER_KEY: usize = 20;

/// An AES-128 key.
pub(crate) type SegmentKey = [u8; 16];

/// Returns the key of the segments of a rendition from `SEGMENTS_PER_KEY * number`.
///
/// # Errors
/// Never: a secret of any length is allowed, and the digest is longer than a key.
pub(crate) fn segment_key(secret: &[u8], rendition: &str, number: usize) -> Result<SegmentKey, InternalError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret)?;
    mac.update(format!("lyceum/segments/{rendition}/{number}").as_bytes());
    let digest = mac.finalize().into_bytes();
    let (key, _) = digest.split_first_chunk().ok_or_else(|| InternalError::new("a digest is too short"))?;
    Ok(*key)
}

/// Returns the name of a key's file, relative to the playlist of its rendition.
pub(crate) fn key_name(number: usize) -> String {
    format!("{number}.key")
}

/// Returns the rendition and the number of the key at a path such as `v0/3.key`.
pub(crate) fn parse_key_path(path: &str) -> Option<(&str, usize)> {
    let (rendition, number) = path.strip_suffix(".key")?.split_once('/')?;
    let digits = rendition.strip_prefix('v')?;
    let plain =
        |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    (plain(digits, 2) && plain(number, 6)).then_some((rendition, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rendition_and_period_has_a_key_of_its_own() {
        let keys: std::collections::HashSet<SegmentKey> = [[1_u8; 32], [2; 32]]
            .iter()
            .flat_map(|secret| ["v0", "v1"].map(|rendition| (secret, rendition)))
            .flat_map(|(secret, rendition)| (0..50).map(move |number| segment_key(secret, rendition, number).unwrap()))
            .collect();
        assert_eq!(keys.len(), 200);
        assert_eq!(segment_key(&[1; 32], "v0", 3).unwrap(), segment_key(&[1; 32], "v0", 3).unwrap());
    }

    #[test]
    fn only_keys_have_key_paths() {
        assert_eq!(parse_key_path("v0/3.key"), Some(("v0", 3)));
        assert_eq!(parse_key_path("v12/000123.key"), Some(("v12", 123)));
        for path in [
            "",
            ".key",
            "3.key",
            "v0/.key",
            "v0/x.key",
            "v/3.key",
            "w0/3.key",
            "v0/../3.key",
            "v0/3.key/",
            "v0/1234567.key",
        ] {
            assert_eq!(parse_key_path(path), None, "{path}");
        }
    }
}
