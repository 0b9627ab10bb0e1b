//! Commands that import videos and pictures. For the command line, where nothing is uploaded.
//!
//! A file is identified by its owner and its name, so that an import that was interrupted can be repeated: it writes
//! the same objects, and does nothing if the row is there. The same file must not be imported twice at the same time.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use super::encryption::{encrypt_files, new_secret};
use super::process::content_type;
use crate::accounts::UserId;
use crate::media::model::{Caption, FileId, MediaFile, UploadPurpose, Video, VideoId, VideoStatus, check_webvtt};
use crate::media::query::process::{self, Progress};
use crate::media::query::{caption, file, video};
use crate::platform::App;
use crate::platform::image::ImageType;
use crate::platform::internal_error::InternalError;
use crate::platform::picture;

/// The number of objects that are stored at the same time.
const PARALLEL: usize = 8;

/// A video with what the processing would make of it.
#[derive(Clone, Debug)]
pub struct ImportedVideo {
    /// The filename.
    pub filename: String,
    /// The original, an MP4 file.
    pub original: Bytes,
    /// The poster image, a JPEG file.
    pub poster: Bytes,
    /// The files for HLS by their paths: `master.m3u8`, `v0/index.m3u8`, `v0/00000.m4s` and so on; not encrypted.
    pub hls: BTreeMap<String, Bytes>,
    /// The duration in milliseconds.
    pub duration_ms: i64,
    /// The width in pixels.
    pub width: i32,
    /// The height in pixels.
    pub height: i32,
    /// The captions: for each language its tag, its label in a player's menu, and a WebVTT file.
    pub captions: Vec<(String, String, String)>,
}

/// Imports a video, which can be played at once; returns its id.
///
/// If the owner has a video of this name from an earlier import, nothing is changed.
///
/// # Errors
/// The files do not fit together; the store or the database failed.
pub async fn import_video(app: &App, owner: UserId, new: ImportedVideo) -> Result<VideoId, InternalError> {
    let id = VideoId::new(named(owner, UploadPurpose::Video, &new.filename));
    if video::is_there(&mut *app.db.read().await?, id).await? {
        return Ok(id);
    }
    let (folder, now) = (Video::folder(id), app.clock.now());
    let (secret, sealed) = new_secret(app, id)?;
    let row = Video {
        id,
        owner_id: owner,
        filename: new.filename,
        object_key: format!("{folder}original"),
        content_type: "video/mp4".into(),
        size_bytes: i64::try_from(new.original.len())?,
        status: VideoStatus::Ready,
        progress_percent: 100,
        failure: None,
        duration_ms: Some(new.duration_ms),
        width: Some(new.width),
        height: Some(new.height),
        poster_key: Some(format!("{folder}poster.jpg")),
        playlist_key: Some(format!("{folder}hls/master.m3u8")),
        created_at: now,
        delete_after: Some(now + app.config.video.grace),
    };
    let mut objects = vec![
        (row.object_key.clone(), "video/mp4", new.original),
        (format!("{folder}poster.jpg"), "image/jpeg", new.poster),
    ];
    for (path, content) in encrypt_files(new.hls, &secret)? {
        objects.push((format!("{folder}hls/{path}"), content_type(&path), content));
    }
    let mut captions = Vec::new();
    for (language, label, text) in new.captions {
        check_webvtt(&text).map_err(InternalError::new)?;
        let object_key = format!("{folder}captions/{language}.vtt");
        objects.push((object_key.clone(), "text/vtt; charset=utf-8", text.into()));
        captions.push(Caption { video_id: id, language, label, object_key });
    }
    store(app, objects).await?;
    insert(app, &row, &captions, &sealed).await.map(|()| id)
}

/// Inserts the rows of a video whose objects are stored.
async fn insert(app: &App, row: &Video, captions: &[Caption], sealed: &[u8]) -> Result<(), InternalError> {
    let progress = Progress {
        status: row.status,
        progress_percent: row.progress_percent,
        failure: None,
        duration_ms: row.duration_ms,
        width: row.width,
        height: row.height,
        poster_key: row.poster_key.clone(),
        playlist_key: row.playlist_key.clone(),
        updated_at: row.created_at,
    };
    app.db
        .transaction(async |tx| {
            video::insert(tx, row).await?;
            process::set(tx, row.id, &progress).await?;
            process::keep_secret(tx, row.id, sealed).await?;
            for one in captions {
                caption::replace(tx, one, row.created_at).await?;
            }
            Ok(())
        })
        .await
}

/// Imports a picture, which can be shown at once; returns its id.
///
/// If the owner has a picture of this name from an earlier import, nothing is changed; then `make` is not called.
///
/// # Errors
/// The file is not a picture; the store or the database failed; `make` failed.
pub async fn import_image(
    app: &App,
    owner: UserId,
    filename: &str,
    make: impl Future<Output = Result<Bytes, InternalError>> + Send,
) -> Result<FileId, InternalError> {
    let id = FileId::new(named(owner, UploadPurpose::Image, filename));
    if !file::by_ids(&*app.db.read().await?, &[id]).await?.is_empty() {
        return Ok(id);
    }
    let content = make.await?;
    let kind = ImageType::of(&content).ok_or_else(|| InternalError::new("an imported picture is none"))?.as_str();
    let (object_key, now) = (format!("{}original", UploadPurpose::Image.folder(id.uuid())), app.clock.now());
    let rendered = picture::render(content.clone()).await?.map_err(InternalError::new)?;
    let size_bytes = i64::try_from(content.len())?;
    store(app, vec![(object_key.clone(), kind, content)]).await?;
    let shown = rendered.store(&app.storage, &MediaFile::renditions(id)).await?;
    let row = MediaFile {
        id,
        owner_id: owner,
        purpose: UploadPurpose::Image,
        filename: filename.into(),
        object_key,
        content_type: kind.into(),
        size_bytes,
        sha256: None,
        created_at: now,
        unused_since: Some(now),
        picture: Some(shown),
        failure: None,
    };
    app.db.transaction(async |tx| Ok::<_, InternalError>(file::insert_imported(tx, &row).await?)).await?;
    Ok(id)
}

/// Returns the id of the file with this name, the same in each import.
fn named(owner: UserId, purpose: UploadPurpose, name: &str) -> Uuid {
    let digest: [u8; 32] = Sha256::digest(format!("{}/{}/{name}", owner.uuid(), purpose.as_str())).into();
    let (start, _) = digest.split_first_chunk().unwrap_or((&[0; 16], &[]));
    Builder::from_random_bytes(*start).into_uuid()
}

/// Stores objects, playlists last, as the processing does.
async fn store(app: &App, objects: Vec<(String, &'static str, Bytes)>) -> Result<(), InternalError> {
    let (playlists, files): (Vec<_>, Vec<_>) = objects.into_iter().partition(|(key, ..)| key.ends_with(".m3u8"));
    for batch in [files, playlists] {
        stream::iter(batch)
            .map(|(key, kind, content)| async move { app.storage.put(&key, kind, content).await })
            .buffer_unordered(PARALLEL)
            .try_collect::<()>()
            .await?;
    }
    Ok(())
}
