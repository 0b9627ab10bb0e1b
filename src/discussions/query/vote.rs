//! SQL for votes.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::discussions::model::PostKind;
use crate::platform::db::schema::{post_votes, posts};
use crate::platform::db::{RunQueryDsl, Tx};

/// Adds a vote; returns whether there was none.
pub(crate) async fn add(tx: &mut Tx, post: Uuid, user: UserId, now: DateTime<Utc>) -> QueryResult<bool> {
    let added = diesel::insert_into(post_votes::table)
        .values((post_votes::post_id.eq(post), post_votes::user_id.eq(user), post_votes::voted_at.eq(now)))
        .on_conflict_do_nothing()
        .execute(tx.conn())
        .await?;
    Ok(added == 1)
}

/// Takes a vote back; returns whether there was one.
pub(crate) async fn remove(tx: &mut Tx, post: Uuid, user: UserId) -> QueryResult<bool> {
    Ok(diesel::delete(post_votes::table.find((post, user))).execute(tx.conn()).await? == 1)
}

/// Returns those pairs of a post and a user of which the user has voted for the post.
pub(crate) async fn of_pairs(
    conn: &mut AsyncPgConnection,
    posts: &[Uuid],
    users: &[UserId],
) -> QueryResult<Vec<(Uuid, UserId)>> {
    post_votes::table
        .filter(post_votes::post_id.eq_any(posts).and(post_votes::user_id.eq_any(users)))
        .select((post_votes::post_id, post_votes::user_id))
        .load(conn)
        .await
}

/// Returns the latest votes of a user, for the export of their data.
pub(crate) async fn latest_of(
    conn: &mut AsyncPgConnection,
    user: UserId,
    limit: i64,
) -> QueryResult<Vec<(Uuid, PostKind, DateTime<Utc>)>> {
    post_votes::table
        .inner_join(posts::table)
        .filter(post_votes::user_id.eq(user))
        .order(post_votes::voted_at.desc())
        .limit(limit)
        .select((post_votes::post_id, posts::kind, post_votes::voted_at))
        .load(conn)
        .await
}
