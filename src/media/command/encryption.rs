//! Encrypts the HLS segments of a video, between their conversion and their upload.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use aes::Aes128;
use bytes::Bytes;
use cbc::Encryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};

use crate::media::model::{SEGMENTS_PER_KEY, VideoId, key_name, parse_key_path, segment_key};
use crate::media::query::process as query;
use crate::platform::App;
use crate::platform::internal_error::{Context, InternalError};

/// Returns the secret of a video, which is created if it has none; `None` if the video was deleted.
///
/// It is stored before any segment, so that a repeated conversion encrypts with the same keys.
pub(super) async fn secret(app: &App, id: VideoId) -> Result<Option<Vec<u8>>, InternalError> {
    let (_, sealed) = new_secret(app, id)?;
    let stored =
        app.db.transaction(async |tx| Ok::<_, InternalError>(query::keep_secret(tx, id, &sealed).await?)).await?;
    stored.map(|stored| app.seal.open(&stored, id.uuid().as_bytes())).transpose()
}

/// Returns a new secret for a video, as it is and as it is stored.
pub(super) fn new_secret(app: &App, id: VideoId) -> Result<([u8; 32], Vec<u8>), InternalError> {
    let new: [u8; 32] = rand::random();
    let sealed = app.seal.close(&new, id.uuid().as_bytes())?;
    Ok((new, sealed))
}

/// Encrypts the segments below the `folder` of a conversion, and names their keys in the playlists.
///
/// # Errors
/// A file cannot be read or written.
pub(super) async fn encrypt(folder: PathBuf, secret: Vec<u8>) -> Result<(), InternalError> {
    let encrypting = tokio::task::spawn_blocking(move || {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                encrypt_rendition(&entry.path(), &entry.file_name().to_string_lossy(), &secret)?;
            }
        }
        Ok(())
    });
    encrypting.await?
}

fn encrypt_rendition(folder: &Path, name: &str, secret: &[u8]) -> Result<(), InternalError> {
    let playlist = folder.join("index.m3u8");
    let text = std::fs::read_to_string(&playlist).context("read a playlist")?;
    let (encrypted, segments) = with_keys(&text)?;
    for (number, segment) in segments.into_iter().enumerate() {
        let file = folder.join(segment);
        let plain = std::fs::read(&file).context("read a segment")?;
        std::fs::write(&file, encrypt_segment(secret, name, number, &plain)?).context("write a segment")?;
    }
    std::fs::write(&playlist, encrypted).context("write a playlist")
}

/// Encrypts the files of a conversion in memory, each with its path, like [`encrypt`].
///
/// # Errors
/// A playlist names a file that is not there.
pub(super) fn encrypt_files(
    mut files: BTreeMap<String, Bytes>,
    secret: &[u8],
) -> Result<BTreeMap<String, Bytes>, InternalError> {
    let playlists: Vec<String> = files.keys().filter(|path| path.ends_with("/index.m3u8")).cloned().collect();
    for path in playlists {
        let name = path.trim_end_matches("/index.m3u8");
        let text = files.get(&path).cloned().unwrap_or_default();
        let (encrypted, segments) = with_keys(std::str::from_utf8(&text)?)?;
        for (number, segment) in segments.into_iter().enumerate() {
            let missing = || InternalError::new(format!("{path} names {segment}, which is not there"));
            let file = files.get_mut(&format!("{name}/{segment}")).ok_or_else(missing)?;
            *file = encrypt_segment(secret, name, number, file)?.into();
        }
        files.insert(path, encrypted.into());
    }
    Ok(files)
}

/// Names the keys in a playlist; also returns the names of its segments, in order.
fn with_keys(text: &str) -> Result<(String, Vec<&str>), InternalError> {
    let (mut encrypted, mut segments) = (String::with_capacity(text.len()), Vec::new());
    for line in text.lines() {
        // The tag precedes those of its first segment. The initialization section comes before, so it stays readable.
        if line.starts_with("#EXTINF") && segments.len() % SEGMENTS_PER_KEY == 0 {
            writeln!(encrypted, "#EXT-X-KEY:METHOD=AES-128,URI=\"{}\"", key_name(segments.len() / SEGMENTS_PER_KEY))?;
        }
        writeln!(encrypted, "{line}")?;
        if !line.starts_with('#') && !line.is_empty() {
            segments.push(line);
        }
    }
    Ok((encrypted, segments))
}

/// Encrypts the segment with this number of the rendition `name`.
fn encrypt_segment(secret: &[u8], name: &str, number: usize, plain: &[u8]) -> Result<Vec<u8>, InternalError> {
    let key = segment_key(secret, name, number / SEGMENTS_PER_KEY)?;
    // Without an IV in the tag, it is the segment's number (RFC 8216, section 5.2). Each rendition has its own keys, so
    // that no two segments share key and IV.
    let iv = u128::try_from(number)?.to_be_bytes();
    let cipher = Encryptor::<Aes128>::new(&key.into(), &iv.into());
    Ok(cipher.encrypt_padded_vec::<Pkcs7>(plain))
}

/// Returns the key at a path such as `v0/3.key`; `None` if there is none.
///
/// # Errors
/// The database failed, or the secret cannot be decrypted.
pub async fn segment_key_at(app: &App, id: VideoId, path: &str) -> Result<Option<[u8; 16]>, InternalError> {
    let Some((rendition, number)) = parse_key_path(path) else { return Ok(None) };
    let Some(sealed) = query::secret(&*app.db.read().await?, id).await? else { return Ok(None) };
    let secret = app.seal.open(&sealed, id.uuid().as_bytes())?;
    segment_key(&secret, rendition, number).map(Some)
}

#[cfg(test)]
mod tests {
    use cbc::Decryptor;
    use cbc::cipher::BlockModeDecrypt;

    use super::*;

    #[tokio::test]
    async fn segments_change_their_key_and_the_head_stays() {
        let folder = std::env::temp_dir().join(format!("lyceum-segments-{}", uuid::Uuid::new_v4().simple()));
        let rendition = folder.join("v1");
        std::fs::create_dir_all(&rendition).unwrap();
        let count = 2 * SEGMENTS_PER_KEY + 1;
        let head = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-MAP:URI=\"init.mp4\"\n";
        let mut text = head.to_owned();
        for number in 0..count {
            text += &format!("#EXTINF:6.0,\n{number:05}.m4s\n");
            std::fs::write(rendition.join(format!("{number:05}.m4s")), vec![b'x'; 16 * (number % 3) + number]).unwrap();
        }
        std::fs::write(rendition.join("index.m3u8"), text + "#EXT-X-ENDLIST\n").unwrap();
        std::fs::write(rendition.join("init.mp4"), "head").unwrap();
        encrypt(folder.clone(), vec![7; 32]).await.unwrap();

        let playlist = std::fs::read_to_string(rendition.join("index.m3u8")).unwrap();
        assert!(playlist.starts_with(&format!("{head}#EXT-X-KEY:METHOD=AES-128,URI=\"0.key\"\n#EXTINF")), "{playlist}");
        let keys: Vec<&str> = playlist.lines().filter(|line| line.starts_with("#EXT-X-KEY")).collect();
        assert_eq!(keys.len(), 3, "{keys:?}");
        assert_eq!(std::fs::read_to_string(rendition.join("init.mp4")).unwrap(), "head");
        for number in 0..count {
            let bytes = std::fs::read(rendition.join(format!("{number:05}.m4s"))).unwrap();
            let key = segment_key(&[7; 32], "v1", number / SEGMENTS_PER_KEY).unwrap();
            let iv = (number as u128).to_be_bytes();
            let opened = Decryptor::<Aes128>::new(&key.into(), &iv.into()).decrypt_padded_vec::<Pkcs7>(&bytes).unwrap();
            assert_eq!(opened, vec![b'x'; 16 * (number % 3) + number], "{number}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
