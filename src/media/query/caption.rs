//! SQL for captions.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::media::model::{Caption, VideoId};
use crate::platform::db::schema::video_captions;
use crate::platform::db::{RunQueryDsl, Tx};

/// Returns the captions of the given videos, ordered by language.
pub(crate) async fn of(mut conn: &AsyncPgConnection, videos: &[VideoId]) -> QueryResult<Vec<Caption>> {
    video_captions::table
        .filter(video_captions::video_id.eq_any(videos))
        .order((video_captions::video_id, video_captions::language))
        .select(Caption::as_select())
        .load(&mut conn)
        .await
}

pub(crate) async fn languages(tx: &mut Tx, video: VideoId) -> QueryResult<Vec<String>> {
    video_captions::table
        .filter(video_captions::video_id.eq(video))
        .select(video_captions::language)
        .load(tx.conn())
        .await
}

/// Stores captions, replacing those in the same language. Returns the key of the old ones. The video must be locked.
pub(crate) async fn replace(tx: &mut Tx, new: &Caption, now: DateTime<Utc>) -> QueryResult<Option<String>> {
    let old = delete(tx, new.video_id, &new.language).await?;
    diesel::insert_into(video_captions::table)
        .values((
            video_captions::video_id.eq(new.video_id),
            video_captions::language.eq(&new.language),
            video_captions::label.eq(&new.label),
            video_captions::object_key.eq(&new.object_key),
            video_captions::created_at.eq(now),
            video_captions::updated_at.eq(now),
        ))
        .execute(tx.conn())
        .await?;
    Ok(old)
}

/// Deletes captions and returns their key.
pub(crate) async fn delete(tx: &mut Tx, video: VideoId, language: &str) -> QueryResult<Option<String>> {
    diesel::delete(video_captions::table.find((video, language)))
        .returning(video_captions::object_key)
        .get_result(tx.conn())
        .await
        .optional()
}
