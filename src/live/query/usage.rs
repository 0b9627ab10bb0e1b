//! SQL for the ledger of hours.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;

use crate::accounts::UserId;
use crate::live::model::Usage;
use crate::platform::db::schema::live_usage;
use crate::platform::db::{RunQueryDsl, Tx, sql_query};

/// Returns the months of users: each of the months of each of the users.
pub(crate) async fn of(
    conn: &mut AsyncPgConnection,
    users: &[UserId],
    months: &[NaiveDate],
) -> QueryResult<Vec<Usage>> {
    let (Some(first), Some(last)) = (months.iter().min(), months.iter().max()) else { return Ok(Vec::new()) };
    // Many users have many months, and the index is searched by a range of them, not by a list.
    let between = live_usage::month.ge(first).and(live_usage::month.le(last));
    live_usage::table
        .filter(live_usage::user_id.eq_any(users).and(live_usage::month.eq_any(months)).and(between))
        .select(Usage::as_select())
        .load(conn)
        .await
}

/// Returns the months of a user from `month` on, earliest first.
pub(crate) async fn since(conn: &mut AsyncPgConnection, user: UserId, month: NaiveDate) -> QueryResult<Vec<Usage>> {
    live_usage::table
        .filter(live_usage::user_id.eq(user).and(live_usage::month.ge(month)))
        .order(live_usage::month)
        .select(Usage::as_select())
        .load(conn)
        .await
}

/// Like [`since`], and locks them.
pub(crate) async fn lock_since(tx: &mut Tx, user: UserId, month: NaiveDate) -> QueryResult<Vec<Usage>> {
    live_usage::table
        .filter(live_usage::user_id.eq(user).and(live_usage::month.ge(month)))
        .order(live_usage::month)
        .select(Usage::as_select())
        .for_no_key_update()
        .load(tx.conn())
        .await
}

/// Makes a month of a user, if there is none.
pub(crate) async fn make(tx: &mut Tx, user: UserId, month: NaiveDate) -> QueryResult<usize> {
    diesel::insert_into(live_usage::table)
        .values(Usage::empty(user, month))
        .on_conflict_do_nothing()
        .execute(tx.conn())
        .await
}

/// Returns a month of a user and locks it, so that hours are spent one after another. Makes it if it is the first time.
pub(crate) async fn lock(tx: &mut Tx, user: UserId, month: NaiveDate) -> QueryResult<Usage> {
    make(tx, user, month).await?;
    live_usage::table.find((user, month)).select(Usage::as_select()).for_no_key_update().first(tx.conn()).await
}

/// Locks each of the months of each of the users, as far as there are rows, in an order that all transactions follow.
pub(crate) async fn lock_all(tx: &mut Tx, users: &[UserId], months: &[NaiveDate]) -> QueryResult<usize> {
    sql_query(
        "SELECT 1 FROM live_usage WHERE user_id = ANY ($1) AND month = ANY ($2) \
         ORDER BY user_id, month FOR NO KEY UPDATE",
    )
    .bind::<Array<SqlUuid>, _>(users.to_vec())
    .bind::<Array<Date>, _>(months.to_vec())
    .execute(tx.conn())
    .await
}

/// Writes a locked month.
pub(crate) async fn set(tx: &mut Tx, row: &Usage) -> QueryResult<usize> {
    diesel::update(live_usage::table.find((row.user_id, row.month)))
        .set((
            live_usage::allowed_minutes.eq(row.allowed_minutes),
            live_usage::rolled_over_minutes.eq(row.rolled_over_minutes),
            live_usage::extra_minutes.eq(row.extra_minutes),
            live_usage::held_minutes.eq(row.held_minutes),
            live_usage::attended_minutes.eq(row.attended_minutes),
            live_usage::sessions_attended.eq(row.sessions_attended),
            live_usage::sessions_missed.eq(row.sessions_missed),
            live_usage::last_attended_at.eq(row.last_attended_at),
        ))
        .execute(tx.conn())
        .await
}

/// Returns all months of a user, latest first.
pub(crate) async fn latest_of(conn: &mut AsyncPgConnection, user: UserId, limit: i64) -> QueryResult<Vec<Usage>> {
    live_usage::table
        .filter(live_usage::user_id.eq(user))
        .order(live_usage::month.desc())
        .limit(limit)
        .select(Usage::as_select())
        .load(conn)
        .await
}
