//! SQL for invoices and credit notes.

use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::orders::model::{Invoice, OrderId, RefundId};
use crate::platform::db::schema::{invoice_series, invoices};
use crate::platform::db::{RunQueryDsl, Tx};

/// Locks a series until the transaction ends. A new series begins with it.
pub(crate) async fn lock_series(tx: &mut Tx, prefix: &str) -> QueryResult<()> {
    diesel::insert_into(invoice_series::table)
        .values((invoice_series::prefix.eq(prefix), invoice_series::last_number.eq(0)))
        .on_conflict_do_nothing()
        .execute(tx.conn())
        .await?;
    let row = invoice_series::table.find(prefix).select(invoice_series::last_number).for_no_key_update();
    row.first::<i64>(tx.conn()).await.map(drop)
}

/// Takes the next number of a series that is locked: if the transaction rolls back, the next one takes the same number.
pub(crate) async fn next_number(tx: &mut Tx, prefix: &str) -> QueryResult<i64> {
    diesel::update(invoice_series::table.find(prefix))
        .set(invoice_series::last_number.eq(invoice_series::last_number + 1))
        .returning(invoice_series::last_number)
        .get_result(tx.conn())
        .await
}

pub(crate) async fn insert(tx: &mut Tx, new: Invoice) -> QueryResult<Invoice> {
    diesel::insert_into(invoices::table).values(new).returning(Invoice::as_returning()).get_result(tx.conn()).await
}

pub(crate) async fn by_id(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<Invoice>> {
    invoices::table.find(id).select(Invoice::as_select()).first(conn).await.optional()
}

/// Returns the invoices of orders.
pub(crate) async fn of_orders(conn: &mut AsyncPgConnection, orders: &[OrderId]) -> QueryResult<Vec<Invoice>> {
    invoices::table
        .filter(invoices::order_id.eq_any(orders).and(invoices::refund_id.is_null()))
        .select(Invoice::as_select())
        .load(conn)
        .await
}

/// Returns the credit notes of refunds.
pub(crate) async fn of_refunds(conn: &mut AsyncPgConnection, refunds: &[RefundId]) -> QueryResult<Vec<Invoice>> {
    invoices::table.filter(invoices::refund_id.eq_any(refunds)).select(Invoice::as_select()).load(conn).await
}
