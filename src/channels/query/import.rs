//! SQL for imports.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Timestamptz, Uuid as SqlUuid};

use crate::accounts::UserId;
use crate::channels::model::ChannelId;
use crate::platform::db::{RunQueryDsl, Tx, sql_query};

/// Records that users follow channels; returns the channels of those who did not before.
pub(crate) async fn follow_all(
    tx: &mut Tx,
    follows: &[(ChannelId, UserId)],
    now: DateTime<Utc>,
) -> QueryResult<Vec<ChannelId>> {
    #[derive(QueryableByName)]
    struct Made {
        #[diesel(sql_type = SqlUuid)]
        channel_id: ChannelId,
    }
    sql_query(
        "INSERT INTO channel_follows (channel_id, user_id, followed_at) \
         SELECT new.*, $3 FROM unnest($1, $2) AS new ON CONFLICT DO NOTHING RETURNING channel_id",
    )
    .bind::<Array<SqlUuid>, _>(follows.iter().map(|(channel, _)| *channel).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(follows.iter().map(|(_, user)| *user).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .load(tx.conn())
    .await
    .map(|made: Vec<Made>| made.into_iter().map(|made| made.channel_id).collect())
}
