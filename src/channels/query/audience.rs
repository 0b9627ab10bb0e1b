//! SQL for who is told of what happens in a channel.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Timestamptz, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;

use crate::accounts::UserId;
use crate::channels::model::ChannelId;
use crate::platform::db::schema::channel_follows;
use crate::platform::db::{RunQueryDsl, sql_query};

/// A channel that a user belongs to in some way, with the time since when.
#[derive(QueryableByName)]
pub(crate) struct Since {
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    #[diesel(sql_type = SqlUuid)]
    pub channel_id: ChannelId,
    #[diesel(sql_type = Timestamptz)]
    pub since: DateTime<Utc>,
}

/// Returns the channels that each of the users follows: the `limit` that they followed last.
pub(crate) async fn followed_since(
    conn: &mut AsyncPgConnection,
    users: &[UserId],
    limit: i64,
) -> QueryResult<Vec<Since>> {
    sql_query(
        "SELECT latest.user_id, latest.channel_id, latest.followed_at AS since FROM unnest($1) AS wanted (user_id) \
         CROSS JOIN LATERAL (SELECT * FROM channel_follows WHERE channel_follows.user_id = wanted.user_id \
            ORDER BY followed_at DESC, channel_id DESC LIMIT $2) AS latest \
         JOIN channels ON channels.id = latest.channel_id AND deleted_at IS NULL",
    )
    .bind::<Array<SqlUuid>, _>(users)
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await
}

/// Returns the channels whose courses each of the users may edit because their owners let members do so, at most `limit`.
pub(crate) async fn editable_since(
    conn: &mut AsyncPgConnection,
    users: &[UserId],
    limit: i64,
) -> QueryResult<Vec<Since>> {
    sql_query(
        "SELECT latest.user_id, latest.channel_id, latest.joined_at AS since FROM unnest($1) AS wanted (user_id) \
         CROSS JOIN LATERAL (SELECT member.user_id, member.channel_id, member.joined_at FROM channel_members AS member \
            JOIN channels ON channels.id = member.channel_id AND members_edit AND deleted_at IS NULL \
            WHERE member.user_id = wanted.user_id ORDER BY member.joined_at DESC, member.channel_id LIMIT $2) AS latest",
    )
    .bind::<Array<SqlUuid>, _>(users)
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await
}

/// Returns the next `limit` followers of a channel, in the order of their ids, after a user.
pub(crate) async fn followers_after(
    conn: &mut AsyncPgConnection,
    channel: ChannelId,
    after: UserId,
    limit: i64,
) -> QueryResult<Vec<UserId>> {
    channel_follows::table
        .filter(channel_follows::channel_id.eq(channel).and(channel_follows::user_id.gt(after)))
        .order(channel_follows::user_id)
        .limit(limit)
        .select(channel_follows::user_id)
        .load(conn)
        .await
}
