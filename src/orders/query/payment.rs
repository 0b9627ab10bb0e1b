//! SQL for payments.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::orders::model::{NewPayment, OrderId, Payment, PaymentState};
use crate::platform::db::schema::payments;
use crate::platform::db::{RunQueryDsl, Tx};
use crate::platform::payments::Provider;

/// The number of payments that are asked about in one run.
const BATCH: i64 = 200;

pub(crate) async fn insert(tx: &mut Tx, new: &NewPayment<'_>) -> QueryResult<Payment> {
    diesel::insert_into(payments::table).values(new).returning(Payment::as_returning()).get_result(tx.conn()).await
}

pub(crate) async fn by_id(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<Payment>> {
    payments::table.find(id).select(Payment::as_select()).first(conn).await.optional()
}

/// Returns the payment whose money has this id at the provider.
pub(crate) async fn by_transaction(
    conn: &mut AsyncPgConnection,
    provider: Provider,
    id: &str,
) -> QueryResult<Option<Payment>> {
    let row = payments::table.filter(payments::provider.eq(provider).and(payments::transaction_id.eq(id)));
    row.select(Payment::as_select()).first(conn).await.optional()
}

/// Returns the payments of orders.
pub(crate) async fn of_orders(conn: &mut AsyncPgConnection, orders: &[OrderId]) -> QueryResult<Vec<Payment>> {
    payments::table.filter(payments::order_id.eq_any(orders)).select(Payment::as_select()).load(conn).await
}

/// Returns the orders of payments.
pub async fn orders_of(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> QueryResult<Vec<(Uuid, OrderId)>> {
    payments::table.filter(payments::id.eq_any(ids)).select((payments::id, payments::order_id)).load(conn).await
}

/// Returns a payment and locks it, after its order.
pub(crate) async fn lock(tx: &mut Tx, id: Uuid) -> QueryResult<Option<Payment>> {
    payments::table.find(id).select(Payment::as_select()).for_no_key_update().first(tx.conn()).await.optional()
}

/// Keeps the checkout of a payment.
pub(crate) async fn set_open(
    tx: &mut Tx,
    id: Uuid,
    (external_id, url): (&str, &str),
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::update(payments::table.find(id))
        .set((
            payments::state.eq(PaymentState::Open),
            payments::external_id.eq(external_id),
            payments::checkout_url.eq(url),
            payments::updated_at.eq(now),
        ))
        .execute(tx.conn())
        .await
}

/// Records that the money has arrived: the provider is not asked about it anymore.
pub(crate) async fn set_paid(
    tx: &mut Tx,
    id: Uuid,
    (checkout, transaction): (Option<&str>, Option<&str>),
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::update(payments::table.find(id))
        .set((
            payments::state.eq(PaymentState::Paid),
            payments::external_id.eq(checkout),
            payments::transaction_id.eq(transaction),
            payments::check_at.eq(None::<DateTime<Utc>>),
            payments::updated_at.eq(now),
        ))
        .execute(tx.conn())
        .await
}

/// Ends a payment without money: the provider is not asked about it anymore.
pub(crate) async fn set_ended(tx: &mut Tx, id: Uuid, state: PaymentState, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(payments::table.find(id))
        .set((payments::state.eq(state), payments::check_at.eq(None::<DateTime<Utc>>), payments::updated_at.eq(now)))
        .execute(tx.conn())
        .await
}

/// Returns a batch of payments about which the provider is to be asked.
pub(crate) async fn to_check(conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> QueryResult<Vec<Payment>> {
    payments::table
        .filter(payments::check_at.le(now))
        .order((payments::check_at, payments::id))
        .limit(BATCH)
        .select(Payment::as_select())
        .load(conn)
        .await
}

/// Sets when the provider is asked about a payment again, unless it has ended.
pub(crate) async fn set_check(tx: &mut Tx, id: Uuid, at: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(payments::table.find(id).filter(payments::check_at.is_not_null()))
        .set(payments::check_at.eq(at))
        .execute(tx.conn())
        .await
}
