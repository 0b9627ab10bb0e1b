//! SQL for imports.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::accounts::UserId;
use crate::channels::model::ChannelId;
use crate::platform::db::schema::channel_follows;
use crate::platform::db::{RunQueryDsl, Tx};

/// Records that users follow channels; returns the channels of those who did not before.
pub(in crate::channels) async fn follow_all(
    tx: &mut Tx,
    follows: &[(ChannelId, UserId)],
    now: DateTime<Utc>,
) -> QueryResult<Vec<ChannelId>> {
    let rows = follows.iter().map(|(id, user)| {
        (channel_follows::user_id.eq(user), channel_follows::channel_id.eq(id), channel_follows::followed_at.eq(now))
    });
    diesel::insert_into(channel_follows::table)
        .values(rows.collect::<Vec<_>>())
        .on_conflict_do_nothing()
        .returning(channel_follows::channel_id)
        .get_results(tx.conn())
        .await
}
