//! Signed URLs of the objects of a video, and HLS playlists that contain them.

use chrono::{DateTime, Utc};

use crate::media::model::{Video, VideoId};
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// The number of lines after which to yield to other tasks: signing is CPU-bound.
const LINES_PER_YIELD: usize = 32;

/// Returns a signed URL of an object, valid until `until` and for at least one second.
///
/// # Errors
/// The URL cannot be signed.
pub async fn sign(app: &App, key: &str, until: DateTime<Utc>) -> Result<String, InternalError> {
    let left = (until - app.clock.now()).to_std().unwrap_or_default();
    app.storage.presign_get(key, left.max(std::time::Duration::from_secs(1))).await
}

/// Returns an HLS playlist of a video; `None` if it does not exist.
///
/// `path` is `master.m3u8`, or `v0/index.m3u8`, whose segments get signed URLs that are valid until `until`.
///
/// # Errors
/// The store is unreachable; a URL cannot be signed.
pub async fn playlist(
    app: &App,
    video: VideoId,
    path: &str,
    until: DateTime<Utc>,
) -> Result<Option<String>, InternalError> {
    let Some(folder) = playlist_folder(path) else { return Ok(None) };
    let below = format!("{}hls/", Video::folder(video));
    let Some(text) = app.storage.get(&format!("{below}{path}")).await? else { return Ok(None) };
    let text = std::str::from_utf8(&text)?;
    match folder {
        None => Ok(Some(text.to_owned())),
        Some(folder) => with_signed_urls(app, text, &format!("{below}{folder}/"), until).await.map(Some),
    }
}

/// Returns the folder of the files that a playlist names.
///
/// `None` within `Some` for the multivariant playlist, which only names other playlists, relative to itself. `None` if
/// `path` is not that of a playlist.
#[allow(clippy::option_option, reason = "the outer one says whether there can be such a playlist")]
fn playlist_folder(path: &str) -> Option<Option<&str>> {
    if path == "master.m3u8" {
        return Some(None);
    }
    let folder = path.strip_suffix("/index.m3u8")?;
    let number = folder.strip_prefix('v')?;
    let plain = (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    plain.then_some(Some(folder))
}

/// Returns a playlist with signed URLs in place of the names of files in `folder`.
async fn with_signed_urls(app: &App, text: &str, folder: &str, until: DateTime<Utc>) -> Result<String, InternalError> {
    let mut signed = String::with_capacity(text.len() * 20);
    for (number, line) in text.lines().enumerate() {
        // The address of a key stays relative to the playlist's, and with that to its pass.
        let is_key = line.starts_with("#EXT-X-KEY");
        if !is_key
            && let Some((before, (name, after))) =
                line.split_once("URI=\"").and_then(|(before, rest)| Some((before, rest.split_once('"')?)))
        {
            let url = sign(app, &format!("{folder}{name}"), until).await?;
            signed += &format!("{before}URI=\"{url}\"{after}");
        } else if line.starts_with('#') || line.is_empty() {
            signed += line;
        } else {
            signed += &sign(app, &format!("{folder}{line}"), until).await?;
        }
        signed.push('\n');
        if number % LINES_PER_YIELD == 0 {
            tokio::task::yield_now().await;
        }
    }
    Ok(signed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_playlists_have_a_folder() {
        assert_eq!(playlist_folder("master.m3u8"), Some(None));
        assert_eq!(playlist_folder("v0/index.m3u8"), Some(Some("v0")));
        assert_eq!(playlist_folder("v12/index.m3u8"), Some(Some("v12")));
        for path in [
            "",
            "index.m3u8",
            "v/index.m3u8",
            "v123/index.m3u8",
            "../original",
            "v0/../../x/index.m3u8",
            "v0/00000.m4s",
            "w0/index.m3u8",
        ] {
            assert_eq!(playlist_folder(path), None, "{path}");
        }
    }
}
