//! SQL for the secret addresses of calendars.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::accounts::UserId;
use crate::platform::auth::TokenHash;
use crate::platform::db::schema::live_calendars;
use crate::platform::db::{RunQueryDsl, Writer};

/// Gives a user's calendar a new address; the earlier one is not valid anymore.
pub(crate) async fn set(writer: &mut Writer, user: UserId, hash: &TokenHash, now: DateTime<Utc>) -> QueryResult<usize> {
    let row = (live_calendars::token_hash.eq(hash.as_slice()), live_calendars::created_at.eq(now));
    diesel::insert_into(live_calendars::table)
        .values((live_calendars::user_id.eq(user), row))
        .on_conflict(live_calendars::user_id)
        .do_update()
        .set(row)
        .execute(writer.conn())
        .await
}

/// Removes the address of a user's calendar.
pub(crate) async fn remove(writer: &mut Writer, user: UserId) -> QueryResult<usize> {
    diesel::delete(live_calendars::table.find(user)).execute(writer.conn()).await
}

/// Returns whose calendar has an address.
pub(crate) async fn user_of(conn: &mut AsyncPgConnection, hash: &TokenHash) -> QueryResult<Option<UserId>> {
    live_calendars::table
        .filter(live_calendars::token_hash.eq(hash.as_slice()))
        .select(live_calendars::user_id)
        .first(conn)
        .await
        .optional()
}

/// Returns since when a user's calendar has its address.
pub(crate) async fn since(conn: &mut AsyncPgConnection, user: UserId) -> QueryResult<Option<DateTime<Utc>>> {
    live_calendars::table.find(user).select(live_calendars::created_at).first(conn).await.optional()
}
