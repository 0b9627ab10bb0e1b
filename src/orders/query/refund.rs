//! SQL for refunds and disputes.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::orders::model::{Dispute, DisputeId, DisputeStatus, OrderId, Refund, RefundId, RefundItem, RefundState};
use crate::platform::db::schema::{disputes, refund_items, refunds};
use crate::platform::db::{RunQueryDsl, Tx};

pub(in crate::orders) async fn insert(tx: &mut Tx, new: &Refund, parts: &[RefundItem]) -> QueryResult<()> {
    diesel::insert_into(refunds::table).values(new.clone()).execute(tx.conn()).await?;
    diesel::insert_into(refund_items::table).values(parts.to_vec()).execute(tx.conn()).await?;
    Ok(())
}

pub(in crate::orders) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[RefundId]) -> QueryResult<Vec<Refund>> {
    refunds::table.filter(refunds::id.eq_any(ids)).select(Refund::as_select()).load(conn).await
}

/// Returns the refunds of orders, oldest first.
pub(in crate::orders) async fn of_orders(conn: &mut AsyncPgConnection, orders: &[OrderId]) -> QueryResult<Vec<Refund>> {
    refunds::table
        .filter(refunds::order_id.eq_any(orders))
        .order((refunds::created_at, refunds::id))
        .select(Refund::as_select())
        .load(conn)
        .await
}

/// Returns the refunds of an order of which the provider is to be told, oldest first.
pub(in crate::orders) async fn pending_of(tx: &mut Tx, order: OrderId) -> QueryResult<Vec<Refund>> {
    refunds::table
        .filter(refunds::order_id.eq(order).and(refunds::state.eq(RefundState::Pending)))
        .order((refunds::created_at, refunds::id))
        .select(Refund::as_select())
        .load(tx.conn())
        .await
}

/// Returns the parts of refunds.
pub(in crate::orders) async fn parts_of(
    conn: &mut AsyncPgConnection,
    ids: &[RefundId],
) -> QueryResult<Vec<RefundItem>> {
    refund_items::table.filter(refund_items::refund_id.eq_any(ids)).select(RefundItem::as_select()).load(conn).await
}

/// Marks a refund of an order as done by the provider; returns whether it was not before.
pub(in crate::orders) async fn set_done(
    tx: &mut Tx,
    order: OrderId,
    id: RefundId,
    external_id: &str,
    now: DateTime<Utc>,
) -> QueryResult<bool> {
    let done = diesel::update(refunds::table.find(id).filter(refunds::order_id.eq(order)))
        .filter(refunds::state.eq(RefundState::Pending))
        .set((refunds::state.eq(RefundState::Done), refunds::external_id.eq(external_id), refunds::done_at.eq(now)))
        .execute(tx.conn())
        .await?;
    Ok(done == 1)
}

/// Returns whether an order has such a refund that has not failed.
pub(in crate::orders) async fn has_not_failed(tx: &mut Tx, order: OrderId, id: RefundId) -> QueryResult<bool> {
    let known = refunds::table.find(id).filter(refunds::order_id.eq(order).and(refunds::state.ne(RefundState::Failed)));
    let known = known.select(refunds::id);
    diesel::select(diesel::dsl::exists(known)).get_result(tx.conn()).await
}

/// Returns a refund of an order, by our id or that of the provider, which goes first: an attempt of ours that was given up
/// may have been made at the provider nevertheless.
pub(in crate::orders) async fn find(
    tx: &mut Tx,
    order: OrderId,
    id: Option<RefundId>,
    external_id: &str,
) -> QueryResult<Option<Refund>> {
    let same =
        refunds::external_id.eq(external_id).assume_not_null().or(refunds::id.nullable().eq(id).assume_not_null());
    let row = refunds::table.filter(refunds::order_id.eq(order)).filter(same);
    let by_provider = refunds::external_id.is_not_distinct_from(external_id);
    row.order(by_provider.desc()).select(Refund::as_select()).first(tx.conn()).await.optional()
}

/// Marks a refund as failed, once; returns whether it was not before.
pub(in crate::orders) async fn set_failed(
    tx: &mut Tx,
    id: RefundId,
    external_id: Option<&str>,
    failure: &str,
) -> QueryResult<bool> {
    let failed = diesel::update(refunds::table.find(id).filter(refunds::state.ne(RefundState::Failed)))
        .set((
            refunds::state.eq(RefundState::Failed),
            // Kept if it is known.
            external_id.map(|id| refunds::external_id.eq(id)),
            refunds::failure.eq(failure),
            refunds::done_at.eq(None::<DateTime<Utc>>),
        ))
        .execute(tx.conn())
        .await?;
    Ok(failed == 1)
}

/// Returns whether a refund with the provider's id is known.
pub(in crate::orders) async fn is_known(tx: &mut Tx, order: OrderId, external_id: &str) -> QueryResult<bool> {
    let known = refunds::table.filter(refunds::order_id.eq(order).and(refunds::external_id.eq(external_id)));
    diesel::select(diesel::dsl::exists(known.select(refunds::id))).get_result(tx.conn()).await
}

/// Opens a dispute; returns whether it is new.
pub(in crate::orders) async fn open_dispute(
    tx: &mut Tx,
    id: Uuid,
    (order, external_id, amount): (OrderId, &str, i64),
    now: DateTime<Utc>,
) -> QueryResult<bool> {
    let opened = diesel::insert_into(disputes::table)
        .values((
            disputes::id.eq(id),
            disputes::order_id.eq(order),
            disputes::external_id.eq(external_id),
            disputes::amount_minor.eq(amount),
            disputes::status.eq(DisputeStatus::Open),
            disputes::opened_at.eq(now),
        ))
        .on_conflict((disputes::order_id, disputes::external_id))
        .do_nothing()
        .execute(tx.conn())
        .await?;
    Ok(opened == 1)
}

/// Closes an open dispute; returns it, `None` if it is not open.
pub(in crate::orders) async fn close_dispute(
    tx: &mut Tx,
    (order, external_id): (OrderId, &str),
    status: DisputeStatus,
    now: DateTime<Utc>,
) -> QueryResult<Option<Dispute>> {
    let open = disputes::table.filter(disputes::order_id.eq(order).and(disputes::external_id.eq(external_id)));
    diesel::update(open.filter(disputes::status.eq(DisputeStatus::Open)))
        .set((disputes::status.eq(status), disputes::closed_at.eq(now)))
        .returning(Dispute::as_returning())
        .get_result(tx.conn())
        .await
        .optional()
}

pub(in crate::orders) async fn disputes_by_ids(
    conn: &mut AsyncPgConnection,
    ids: &[DisputeId],
) -> QueryResult<Vec<Dispute>> {
    disputes::table.filter(disputes::id.eq_any(ids)).select(Dispute::as_select()).load(conn).await
}

/// Returns the disputes about orders, oldest first.
pub(in crate::orders) async fn disputes_of(
    conn: &mut AsyncPgConnection,
    orders: &[OrderId],
) -> QueryResult<Vec<Dispute>> {
    disputes::table
        .filter(disputes::order_id.eq_any(orders))
        .order((disputes::opened_at, disputes::id))
        .select(Dispute::as_select())
        .load(conn)
        .await
}
