//! SQL for the periods of memberships. They are written under the lock of their membership's user.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::memberships::model::{MembershipId, NewPeriod, Period, PeriodId, PeriodState, PlanPriceId};
use crate::platform::db::schema::membership_periods;
use crate::platform::db::{RunQueryDsl, Tx};

pub(crate) async fn by_id(conn: &mut AsyncPgConnection, id: PeriodId) -> QueryResult<Option<Period>> {
    membership_periods::table.find(id).select(Period::as_select()).first(conn).await.optional()
}

/// Returns the open period of a membership, which is ordered and not paid.
pub(crate) async fn open_of(tx: &mut Tx, membership: MembershipId) -> QueryResult<Option<Period>> {
    membership_periods::table
        .filter(membership_periods::membership_id.eq(membership))
        .filter(membership_periods::state.eq(PeriodState::Open))
        .select(Period::as_select())
        .first(tx.conn())
        .await
        .optional()
}

/// Returns the open periods of memberships.
pub(crate) async fn open_of_all(
    conn: &mut AsyncPgConnection,
    memberships: &[MembershipId],
) -> QueryResult<Vec<(MembershipId, PeriodId)>> {
    membership_periods::table
        .filter(membership_periods::membership_id.eq_any(memberships))
        .filter(membership_periods::state.eq(PeriodState::Open))
        .select((membership_periods::membership_id, membership_periods::id))
        .load(conn)
        .await
}

/// Returns the prices that periods are charged at.
pub(crate) async fn prices_of(
    conn: &mut AsyncPgConnection,
    periods: &[PeriodId],
) -> QueryResult<Vec<(PeriodId, PlanPriceId)>> {
    membership_periods::table
        .filter(membership_periods::id.eq_any(periods))
        .select((membership_periods::id, membership_periods::plan_price_id))
        .load(conn)
        .await
}

/// Returns the period with this number that is paid.
pub(crate) async fn paid(tx: &mut Tx, membership: MembershipId, number: i32) -> QueryResult<Option<Period>> {
    membership_periods::table
        .filter(membership_periods::membership_id.eq(membership).and(membership_periods::number.eq(number)))
        .filter(membership_periods::state.eq(PeriodState::Paid))
        .select(Period::as_select())
        .first(tx.conn())
        .await
        .optional()
}

/// Inserts a period. Fails if another one with its number is open or paid.
pub(crate) async fn insert(tx: &mut Tx, new: &NewPeriod) -> QueryResult<Period> {
    let insert = diesel::insert_into(membership_periods::table).values(new);
    insert.returning(Period::as_returning()).get_result(tx.conn()).await
}

/// Marks a period as paid, with its limits.
pub(crate) async fn set_paid(
    tx: &mut Tx,
    id: PeriodId,
    paid_minor: i64,
    (starts_at, ends_at): (DateTime<Utc>, DateTime<Utc>),
) -> QueryResult<usize> {
    diesel::update(membership_periods::table.find(id))
        .set((
            membership_periods::state.eq(PeriodState::Paid),
            membership_periods::paid_minor.eq(paid_minor),
            membership_periods::starts_at.eq(starts_at),
            membership_periods::ends_at.eq(ends_at),
        ))
        .execute(tx.conn())
        .await
}

pub(crate) async fn set_paid_minor(tx: &mut Tx, id: PeriodId, paid_minor: i64) -> QueryResult<usize> {
    let set = membership_periods::paid_minor.eq(paid_minor);
    diesel::update(membership_periods::table.find(id)).set(set).execute(tx.conn()).await
}

pub(crate) async fn set_state(tx: &mut Tx, id: PeriodId, state: PeriodState) -> QueryResult<usize> {
    diesel::update(membership_periods::table.find(id)).set(membership_periods::state.eq(state)).execute(tx.conn()).await
}
