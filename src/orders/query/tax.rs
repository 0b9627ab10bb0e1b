//! SQL for what a provider knows of the tax of orders.

use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::orders::model::{NewTax, OrderId, RefundId, TaxRecord, TaxReversal};
use crate::platform::db::schema::{order_taxes, tax_reversals};
use crate::platform::db::{RunQueryDsl, Tx};

pub(crate) async fn insert(tx: &mut Tx, new: &NewTax<'_>) -> QueryResult<usize> {
    diesel::insert_into(order_taxes::table).values(new).execute(tx.conn()).await
}

/// Returns what the provider knows of an order; `None` if it has not calculated its tax.
pub(crate) async fn of_order(conn: &mut AsyncPgConnection, id: OrderId) -> QueryResult<Option<TaxRecord>> {
    order_taxes::table.find(id).select(TaxRecord::as_select()).first(conn).await.optional()
}

/// Keeps the provider's id of the record that the tax of an order was collected.
pub(crate) async fn set_transaction(tx: &mut Tx, id: OrderId, transaction: &str) -> QueryResult<usize> {
    diesel::update(order_taxes::table.find(id))
        .set(order_taxes::transaction_id.eq(transaction))
        .execute(tx.conn())
        .await
}

/// Returns what the provider knows of a refund; `None` if that is nothing.
pub async fn of_refund(conn: &mut AsyncPgConnection, id: RefundId) -> QueryResult<Option<TaxReversal>> {
    tax_reversals::table.find(id).select(TaxReversal::as_select()).first(conn).await.optional()
}

/// Keeps what the provider knows of a refund, once.
pub(crate) async fn insert_reversal(tx: &mut Tx, new: &TaxReversal) -> QueryResult<usize> {
    diesel::insert_into(tax_reversals::table)
        .values(new.clone())
        .on_conflict(tax_reversals::refund_id)
        .do_nothing()
        .execute(tx.conn())
        .await
}

/// Keeps the provider's id of the record that a reversal was undone.
pub(crate) async fn set_undone(tx: &mut Tx, id: RefundId, undone: &str) -> QueryResult<usize> {
    diesel::update(tax_reversals::table.find(id)).set(tax_reversals::undone_id.eq(undone)).execute(tx.conn()).await
}
