//! SQL for channels that are deleted: their rows stay, because what they have earned is still their owners'.

use diesel::prelude::*;
use uuid::Uuid;

use crate::channels::model::{Channel, ChannelId, channel_key, stats_key};
use crate::platform::db::schema::{channel_stats, channels};
use crate::platform::db::{RunQueryDsl, Tx};

/// Returns a channel, deleted or not, and locks it.
pub(crate) async fn lock(tx: &mut Tx, id: ChannelId) -> QueryResult<Option<Channel>> {
    let channel = channels::table.find(id).select(Channel::as_select());
    channel.for_no_key_update().first(tx.conn()).await.optional()
}

/// Removes the description and the image of a deleted channel, and the number of its followers.
pub(crate) async fn empty(tx: &mut Tx, id: ChannelId) -> QueryResult<()> {
    tx.changed(channel_key(id));
    tx.changed(stats_key(id));
    diesel::delete(channel_stats::table.find(id)).execute(tx.conn()).await?;
    diesel::update(channels::table.filter(channels::id.eq(id).and(channels::deleted_at.is_not_null())))
        .set((channels::description.eq(""), channels::image_id.eq(None::<Uuid>)))
        .execute(tx.conn())
        .await
        .map(drop)
}
