//! SQL for players.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::platform::db::schema::players;
use crate::platform::db::{RunQueryDsl, Tx, sql_query};
use crate::platform::retention::Retention;

/// Players that are inactive.
pub(crate) const PLAYERS: Retention = Retention::new("players", "seen_at");

/// Takes an advisory lock that serializes the player slots of a user's sessions.
pub(crate) async fn lock_viewer(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    sql_query("SELECT pg_advisory_xact_lock(hashtextextended('player/' || $1::text, 0))")
        .bind::<sql_types::Uuid, _>(user.uuid())
        .execute(tx.conn())
        .await
}

/// Counts those of `sessions` that were playing after `since`.
pub(crate) async fn playing(tx: &mut Tx, sessions: &[Uuid], since: DateTime<Utc>) -> QueryResult<i64> {
    players::table
        .filter(players::session_id.eq_any(sessions).and(players::seen_at.gt(since)))
        .count()
        .get_result(tx.conn())
        .await
}

pub(crate) async fn seen(tx: &mut Tx, user: UserId, session: Uuid, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::insert_into(players::table)
        .values((players::session_id.eq(session), players::user_id.eq(user), players::seen_at.eq(now)))
        .on_conflict(players::session_id)
        .do_update()
        .set(players::seen_at.eq(now))
        .execute(tx.conn())
        .await
}

pub(crate) async fn forget_user(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    diesel::delete(players::table.filter(players::user_id.eq(user))).execute(tx.conn()).await
}
