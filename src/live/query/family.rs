//! SQL for what family members use of the hours of their family, written under the lock of the payer's month.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::accounts::UserId;
use crate::live::model::MemberUsage;
use crate::platform::db::schema::live_family_usage;
use crate::platform::db::{RunQueryDsl, Tx};

/// Returns what users have used of the hours of families: each of the users in each of the months.
pub(crate) async fn of(
    conn: &mut AsyncPgConnection,
    users: &[UserId],
    months: &[NaiveDate],
) -> QueryResult<Vec<MemberUsage>> {
    live_family_usage::table
        .filter(live_family_usage::user_id.eq_any(users).and(live_family_usage::month.eq_any(months)))
        .select(MemberUsage::as_select())
        .load(conn)
        .await
}

/// Returns what a member has used of the hours of a payer in a month that is locked: nothing if there is no row.
pub(crate) async fn one(tx: &mut Tx, (user, month, payer): (UserId, NaiveDate, UserId)) -> QueryResult<MemberUsage> {
    let row = live_family_usage::table.find((user, month, payer)).select(MemberUsage::as_select());
    let row = row.first(tx.conn()).await.optional()?;
    Ok(row.unwrap_or_else(|| MemberUsage::empty(user, month, payer)))
}

/// Writes what a member has used in a month that is locked.
pub(crate) async fn set(tx: &mut Tx, row: &MemberUsage) -> QueryResult<usize> {
    diesel::insert_into(live_family_usage::table)
        .values(row.clone())
        .on_conflict((live_family_usage::user_id, live_family_usage::month, live_family_usage::payer_id))
        .do_update()
        .set(row.clone())
        .execute(tx.conn())
        .await
}

/// Returns all that a user has used of the hours of families, latest first.
pub(crate) async fn latest_of(conn: &mut AsyncPgConnection, user: UserId, limit: i64) -> QueryResult<Vec<MemberUsage>> {
    live_family_usage::table
        .filter(live_family_usage::user_id.eq(user))
        .order((live_family_usage::month.desc(), live_family_usage::payer_id))
        .limit(limit)
        .select(MemberUsage::as_select())
        .load(conn)
        .await
}
