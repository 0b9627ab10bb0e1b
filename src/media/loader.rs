//! Loads videos, captions and files in batches. Only pictures are cached across requests: the progress of others changes
//! every second.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::{FutureExt, TryFutureExt};
use uuid::Uuid;

use super::model::{Caption, FileId, MediaFile, Upload, UploadId, UploadStatus, Video, VideoId, picture_key};
use super::query::upload::{self, UploadKey};
use super::query::{caption, file, reference, video};
use crate::accounts::UserId;
use crate::graphql::id;
use crate::graphql::loaders::{Load, shared};
use crate::graphql::page::Page;
use crate::platform::App;
use crate::platform::db::CacheKey;
use crate::platform::internal_error::InternalError;
use crate::platform::picture::Picture;

/// The key of a video.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct VideoById(pub VideoId);

impl Load for VideoById {
    type Value = Arc<Video>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Video>>, InternalError> {
        let ids: Vec<VideoId> = keys.iter().map(|key| key.0).collect();
        let rows = video::by_ids(&*app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|video| (VideoById(video.id), Arc::new(video))).collect())
    }
}

/// The key of a file.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileById(pub FileId);

impl Load for FileById {
    type Value = Arc<MediaFile>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<MediaFile>>, InternalError> {
        let ids: Vec<FileId> = keys.iter().map(|key| key.0).collect();
        let rows = file::by_ids(&*app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|file| (FileById(file.id), Arc::new(file))).collect())
    }
}

/// The key of a picture that everybody may see: the key of the original, and the properties.
///
/// Missing if the file is no picture, or one that cannot be shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PictureById(pub FileId);

impl Load for PictureById {
    type Value = Arc<(String, Picture)>;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![picture_key(self.0)]
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<FileId> = keys.iter().map(|key| key.0).collect();
        let rows = file::pictures(&*app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|(id, key, picture)| (PictureById(id), Arc::new((key, picture)))).collect())
    }
}

/// The key of a video's captions, ordered by language; missing if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CaptionsOf(pub VideoId);

impl Load for CaptionsOf {
    type Value = Vec<Caption>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Vec<Caption>>, InternalError> {
        let ids: Vec<VideoId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<Self, Vec<Caption>> = HashMap::new();
        for row in caption::of(&*app.db.read().await?, &ids).await? {
            found.entry(CaptionsOf(row.video_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// The key of a page of a user's videos, in the direction of the page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct VideosPage(pub UserId, pub Page<(DateTime<Utc>, Uuid)>);

impl Load for VideosPage {
    type Value = Vec<Arc<Video>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Vec<Arc<Video>>>, InternalError> {
        app.db.read_each(keys, |conn, key| video::owned(conn, key.0, &key.1).map_ok(shared).boxed()).await
    }
}

/// The key of the number of a user's videos; missing if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct VideoCount(pub UserId);

impl Load for VideoCount {
    type Value = i64;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        let owners: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let counts = video::count_owned(&*app.db.read().await?, &owners).await?;
        Ok(counts.into_iter().map(|(owner, count)| (VideoCount(owner), count)).collect())
    }
}

/// Loads an upload by id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UploadById(pub UploadId);

impl Load for UploadById {
    type Value = Arc<Upload>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Upload>>, InternalError> {
        let ids: Vec<UploadId> = keys.iter().map(|key| key.0).collect();
        let rows = upload::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (UploadById(row.id), Arc::new(row))).collect())
    }
}

/// The key of the encoded ids of the objects that show a video, at most [`REFERRERS`]; missing if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReferrersOf(pub VideoId);

/// The maximum number of objects in [`ReferrersOf`].
const REFERRERS: i64 = 100;

impl Load for ReferrersOf {
    type Value = Vec<String>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Vec<String>>, InternalError> {
        let ids: Vec<VideoId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<Self, Vec<String>> = HashMap::new();
        for (video, kind, id) in reference::of_videos(&*app.db.read().await?, &ids, REFERRERS).await? {
            found.entry(ReferrersOf(video)).or_default().push(id::encode(&kind, id));
        }
        Ok(found)
    }
}

/// The key of a page of a user's pictures and files, in the direction of the page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FilesPage(pub UserId, pub Page<(DateTime<Utc>, Uuid)>);

impl Load for FilesPage {
    type Value = Vec<Arc<MediaFile>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Vec<Arc<MediaFile>>>, InternalError> {
        app.db.read_each(keys, |conn, key| file::page_of(conn, key.0, &key.1).map_ok(shared).boxed()).await
    }
}

/// The key of the number of a user's pictures and files; missing if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileCount(pub UserId);

impl Load for FileCount {
    type Value = i64;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        let owners: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let counts = file::count_owned(&*app.db.read().await?, &owners).await?;
        Ok(counts.into_iter().map(|(owner, count)| (FileCount(owner), count)).collect())
    }
}

/// Loads a page of a user's uploads with these statuses, newest first, in the page's direction.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UploadsPage {
    /// The user.
    pub user: UserId,
    /// The statuses.
    pub statuses: Vec<UploadStatus>,
    /// The page.
    pub page: Page<UploadKey>,
}

impl Load for UploadsPage {
    type Value = Vec<Upload>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Vec<Upload>>, InternalError> {
        let read =
            app.db.read_each(keys, |conn, key| upload::of_user(conn, key.user, &key.statuses, &key.page).boxed());
        read.await
    }
}

/// Loads the number of a user's uploads with these statuses.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UploadCount(pub UserId, pub Vec<UploadStatus>);

impl Load for UploadCount {
    type Value = i64;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        app.db.read_each(keys, |conn, key| upload::count_of_user(conn, key.0, &key.1).boxed()).await
    }
}
