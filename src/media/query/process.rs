//! SQL for the progress of processing.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::media::model::{VideoId, VideoStatus};
use crate::platform::db::schema::videos;
use crate::platform::db::{RunQueryDsl, Tx};

/// A change of the row of a video; `None` keeps the value, except for `failure`.
#[derive(AsChangeset)]
#[diesel(table_name = videos)]
pub(in crate::media) struct Progress {
    pub(in crate::media) status: VideoStatus,
    pub(in crate::media) progress_percent: i32,
    /// `None` clears it.
    #[diesel(treat_none_as_null = true)]
    pub(in crate::media) failure: Option<String>,
    pub(in crate::media) duration_ms: Option<i64>,
    pub(in crate::media) width: Option<i32>,
    pub(in crate::media) height: Option<i32>,
    pub(in crate::media) poster_key: Option<String>,
    pub(in crate::media) playlist_key: Option<String>,
    pub(in crate::media) updated_at: DateTime<Utc>,
}

/// Updates the state of a video; returns false if it was deleted.
pub(in crate::media) async fn set(tx: &mut Tx, id: VideoId, progress: &Progress) -> QueryResult<bool> {
    Ok(diesel::update(videos::table.find(id)).set(progress).execute(tx.conn()).await? == 1)
}

/// Updates the progress of the processing; returns false if the processing has ended.
pub(in crate::media) async fn set_percent(tx: &mut Tx, id: VideoId, percent: i32) -> QueryResult<bool> {
    let processing = videos::table.find(id).filter(videos::status.eq(VideoStatus::Processing));
    let noted = diesel::update(processing).set(videos::progress_percent.eq(percent)).execute(tx.conn()).await?;
    Ok(noted == 1)
}
