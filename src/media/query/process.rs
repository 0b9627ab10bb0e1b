//! SQL for the progress of processing.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::media::model::{VideoId, VideoStatus};
use crate::platform::db::schema::videos;
use crate::platform::db::{RunQueryDsl, Tx};

/// A change of the row of a video; `None` keeps the value, except for `failure`.
#[derive(AsChangeset)]
#[diesel(table_name = videos)]
pub(crate) struct Progress {
    pub status: VideoStatus,
    pub progress_percent: i32,
    /// `None` clears it.
    #[diesel(treat_none_as_null = true)]
    pub failure: Option<String>,
    pub(crate) duration_ms: Option<i64>,
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub(crate) poster_key: Option<String>,
    pub(crate) playlist_key: Option<String>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// Updates the state of a video; returns false if it was deleted.
pub(crate) async fn set(tx: &mut Tx, id: VideoId, progress: &Progress) -> QueryResult<bool> {
    Ok(diesel::update(videos::table.find(id)).set(progress).execute(tx.conn()).await? == 1)
}

/// Updates the progress of the processing; returns false if the processing has ended.
pub(crate) async fn set_percent(tx: &mut Tx, id: VideoId, percent: i32) -> QueryResult<bool> {
    let processing = videos::table.find(id).filter(videos::status.eq(VideoStatus::Processing));
    let noted = diesel::update(processing).set(videos::progress_percent.eq(percent)).execute(tx.conn()).await?;
    Ok(noted == 1)
}

/// Stores the secret of a video's segments unless it has one; returns the stored one, `None` if the video was deleted.
pub(crate) async fn keep_secret(tx: &mut Tx, id: VideoId, sealed: &[u8]) -> QueryResult<Option<Vec<u8>>> {
    let new = videos::table.find(id).filter(videos::hls_secret.is_null());
    diesel::update(new).set(videos::hls_secret.eq(sealed)).execute(tx.conn()).await?;
    secret(tx.conn(), id).await
}

/// Returns the encrypted secret of a video's segments; `None` if they are not encrypted.
pub(crate) async fn secret(mut conn: &AsyncPgConnection, id: VideoId) -> QueryResult<Option<Vec<u8>>> {
    let secret = videos::table.find(id).select(videos::hls_secret).first::<Option<Vec<u8>>>(&mut conn).await;
    Ok(secret.optional()?.flatten())
}
