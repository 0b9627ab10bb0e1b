//! Encrypts the HLS segments of a video, between their conversion and their upload.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use aes::Aes128;
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
    let owner = id.uuid();
    let new: [u8; 32] = rand::random();
    let sealed = app.seal.close(&new, owner.as_bytes())?;
    let stored =
        app.db.transaction(async |tx| Ok::<_, InternalError>(query::keep_secret(tx, id, &sealed).await?)).await?;
    stored.map(|stored| app.seal.open(&stored, owner.as_bytes())).transpose()
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
    let (mut encrypted, mut number) = (String::with_capacity(text.len()), 0);
    for line in text.lines() {
        // The tag precedes those of its first segment. The initialization section comes before, so it stays readable.
        if line.starts_with("#EXTINF") && number % SEGMENTS_PER_KEY == 0 {
            writeln!(encrypted, "#EXT-X-KEY:METHOD=AES-128,URI=\"{}\"", key_name(number / SEGMENTS_PER_KEY))?;
        }
        writeln!(encrypted, "{line}")?;
        if !line.starts_with('#') && !line.is_empty() {
            let key = segment_key(secret, name, number / SEGMENTS_PER_KEY)?;
            // Without an IV in the tag, it is the segment's number (RFC 8216, section 5.2). Each rendition has its own
            // keys, so that no two segments share key and IV.
            let iv = u128::try_from(number)?.to_be_bytes();
            let file = folder.join(line);
            let plain = std::fs::read(&file).context("read a segment")?;
            let cipher = Encryptor::<Aes128>::new(&key.into(), &iv.into());
            std::fs::write(&file, cipher.encrypt_padded_vec::<Pkcs7>(&plain)).context("write a segment")?;
            number += 1;
        }
    }
    std::fs::write(&playlist, encrypted).context("write a playlist")
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
