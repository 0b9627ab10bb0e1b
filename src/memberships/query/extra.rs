//! SQL for extra hours of live classes. They are written under the row lock of their user.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::dsl::sum;
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::accounts::UserId;
use crate::memberships::model::{ExtraHours, ExtraHoursId, PeriodState};
use crate::platform::db::schema::extra_hours;
use crate::platform::db::{RunQueryDsl, Tx};

/// Returns the minutes of extra hours that users have paid for months: for each of the months of each of the users, by
/// user and first day of the month. Months without any are missing.
///
/// # Errors
/// The database failed.
pub async fn extra_minutes(
    conn: &mut AsyncPgConnection,
    users: &[UserId],
    months: &[NaiveDate],
) -> QueryResult<HashMap<(UserId, NaiveDate), i32>> {
    let rows: Vec<(UserId, NaiveDate, i32)> = extra_hours::table
        .filter(extra_hours::user_id.eq_any(users).and(extra_hours::month.eq_any(months)))
        .filter(extra_hours::state.eq(PeriodState::Paid))
        .select((extra_hours::user_id, extra_hours::month, extra_hours::minutes))
        .load(conn)
        .await?;
    let mut sums = HashMap::new();
    for (user, month, minutes) in rows {
        *sums.entry((user, month)).or_default() += minutes;
    }
    Ok(sums)
}

/// Returns the minutes of extra hours that a user, who is locked, has paid for a month or is about to.
pub(crate) async fn taken(tx: &mut Tx, user: UserId, month: NaiveDate) -> QueryResult<i64> {
    let taken: Option<i64> = extra_hours::table
        .filter(extra_hours::user_id.eq(user).and(extra_hours::month.eq(month)))
        .filter(extra_hours::state.eq_any([PeriodState::Open, PeriodState::Paid]))
        .select(sum(extra_hours::minutes))
        .get_result(tx.conn())
        .await?;
    Ok(taken.unwrap_or_default())
}

pub(crate) async fn by_id(tx: &mut Tx, id: ExtraHoursId) -> QueryResult<Option<ExtraHours>> {
    extra_hours::table.find(id).select(ExtraHours::as_select()).first(tx.conn()).await.optional()
}

pub(crate) async fn insert(tx: &mut Tx, new: &ExtraHours) -> QueryResult<usize> {
    diesel::insert_into(extra_hours::table).values(new.clone()).execute(tx.conn()).await
}

/// Gives extra hours another state if they are in one of `from`; returns them then.
pub(crate) async fn set_state(
    tx: &mut Tx,
    id: ExtraHoursId,
    from: &[PeriodState],
    to: PeriodState,
) -> QueryResult<Option<ExtraHours>> {
    diesel::update(extra_hours::table.find(id).filter(extra_hours::state.eq_any(from)))
        .set(extra_hours::state.eq(to))
        .returning(ExtraHours::as_returning())
        .get_result(tx.conn())
        .await
        .optional()
}

/// Returns the latest extra hours of a user.
pub(crate) async fn latest_of(conn: &mut AsyncPgConnection, user: UserId, limit: i64) -> QueryResult<Vec<ExtraHours>> {
    extra_hours::table
        .filter(extra_hours::user_id.eq(user))
        .order((extra_hours::month.desc(), extra_hours::id.desc()))
        .limit(limit)
        .select(ExtraHours::as_select())
        .load(conn)
        .await
}
