//! SQL for donations that are repeated each month.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::graphql::page::Page;
use crate::orders::model::{Donation, DonationId, NewDonationOrder, OrderId};
use crate::platform::db::schema::{donation_orders, donations};
use crate::platform::db::{RunQueryDsl, Tx, newest_first};

/// The number of donations in one batch of a job.
const BATCH: i64 = 100;

pub(crate) async fn insert(tx: &mut Tx, new: &Donation) -> QueryResult<usize> {
    diesel::insert_into(donations::table).values(new.clone()).execute(tx.conn()).await
}

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[DonationId]) -> QueryResult<Vec<Donation>> {
    donations::table.filter(donations::id.eq_any(ids)).select(Donation::as_select()).load(conn).await
}

/// Returns a donation and locks it.
pub(crate) async fn lock(tx: &mut Tx, id: DonationId) -> QueryResult<Option<Donation>> {
    donations::table.find(id).select(Donation::as_select()).for_no_key_update().first(tx.conn()).await.optional()
}

/// Writes a donation that is locked.
pub(crate) async fn update(tx: &mut Tx, row: &Donation) -> QueryResult<usize> {
    diesel::update(donations::table.find(row.id)).set(row).execute(tx.conn()).await
}

/// Returns a batch of donations whose next one is to be ordered, the longest due first.
pub(crate) async fn due(conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> QueryResult<Vec<DonationId>> {
    donations::table
        .filter(donations::next_at.le(now))
        .order((donations::next_at, donations::id))
        .limit(BATCH)
        .select(donations::id)
        .load(conn)
        .await
}

/// Keeps that an order is one of a donation.
pub(crate) async fn insert_order(tx: &mut Tx, new: NewDonationOrder) -> QueryResult<usize> {
    diesel::insert_into(donation_orders::table).values(new).execute(tx.conn()).await
}

/// Marks the order of a donation as settled, once; returns the donation, `None` if it was settled or is of none.
pub(crate) async fn settle(tx: &mut Tx, order: OrderId) -> QueryResult<Option<DonationId>> {
    diesel::update(donation_orders::table.find(order).filter(donation_orders::is_open))
        .set(donation_orders::is_open.eq(false))
        .returning(donation_orders::donation_id)
        .get_result(tx.conn())
        .await
        .optional()
}

/// Has the order of a donation settled once more, whose money has come after it had ended; nothing if it is of none.
pub(crate) async fn reopen(tx: &mut Tx, order: OrderId) -> QueryResult<usize> {
    diesel::update(donation_orders::table.find(order)).set(donation_orders::is_open.eq(true)).execute(tx.conn()).await
}

/// Returns the orders of a donation of which it is not known what becomes of them.
pub(crate) async fn open_orders(tx: &mut Tx, id: DonationId) -> QueryResult<Vec<OrderId>> {
    donation_orders::table
        .filter(donation_orders::donation_id.eq(id).and(donation_orders::is_open))
        .select(donation_orders::order_id)
        .load(tx.conn())
        .await
}

/// Ends the donations of a user.
pub(crate) async fn end_of(tx: &mut Tx, donor: UserId, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(donations::table.filter(donations::donor_id.eq(donor).and(donations::ended_at.is_null())))
        .set((donations::ended_at.eq(now), donations::next_at.eq(None::<DateTime<Utc>>)))
        .execute(tx.conn())
        .await
}

/// Returns the latest donations of a user.
pub(crate) async fn latest_of(conn: &mut AsyncPgConnection, donor: UserId, limit: i64) -> QueryResult<Vec<Donation>> {
    donations::table
        .filter(donations::donor_id.eq(donor))
        .order((donations::created_at.desc(), donations::id.desc()))
        .limit(limit)
        .select(Donation::as_select())
        .load(conn)
        .await
}

/// Returns a page of a user's donations, newest first, in the direction of the page.
pub async fn page(
    mut conn: &AsyncPgConnection,
    donor: UserId,
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> QueryResult<Vec<Donation>> {
    let rows = donations::table.into_boxed().filter(donations::donor_id.eq(donor)).select(Donation::as_select());
    newest_first!(&mut conn, rows, donations::created_at, donations::id, page)
}

/// Counts a user's donations.
pub async fn count(mut conn: &AsyncPgConnection, donor: UserId) -> QueryResult<i64> {
    donations::table.filter(donations::donor_id.eq(donor)).count().get_result(&mut conn).await
}
