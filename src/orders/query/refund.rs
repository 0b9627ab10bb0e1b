//! SQL for refunds and disputes.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::orders::model::{
    Dispute, DisputeId, DisputeStatus, OpenDispute, OrderId, Refund, RefundId, RefundItem, RefundState,
};
use crate::platform::db::schema::{disputes, refund_items, refunds};
use crate::platform::db::{RunQueryDsl, Tx};

/// The number of refunds, and of disputes, that are asked about in one run.
const BATCH: i64 = 100;

pub(crate) async fn insert(tx: &mut Tx, new: &Refund, parts: &[RefundItem]) -> QueryResult<()> {
    diesel::insert_into(refunds::table).values(new.clone()).execute(tx.conn()).await?;
    diesel::insert_into(refund_items::table).values(parts.to_vec()).execute(tx.conn()).await?;
    Ok(())
}

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[RefundId]) -> QueryResult<Vec<Refund>> {
    refunds::table.filter(refunds::id.eq_any(ids)).select(Refund::as_select()).load(conn).await
}

/// Returns the refunds of orders, oldest first.
pub(crate) async fn of_orders(conn: &mut AsyncPgConnection, orders: &[OrderId]) -> QueryResult<Vec<Refund>> {
    refunds::table
        .filter(refunds::order_id.eq_any(orders))
        .order((refunds::created_at, refunds::id))
        .select(Refund::as_select())
        .load(conn)
        .await
}

/// Returns the refunds of an order of which the provider is to be told, oldest first.
pub(crate) async fn pending_of(tx: &mut Tx, order: OrderId) -> QueryResult<Vec<Refund>> {
    refunds::table
        .filter(refunds::order_id.eq(order).and(refunds::state.eq(RefundState::Pending)))
        .order((refunds::created_at, refunds::id))
        .select(Refund::as_select())
        .load(tx.conn())
        .await
}

/// Returns the parts of refunds.
pub(crate) async fn parts_of(conn: &mut AsyncPgConnection, ids: &[RefundId]) -> QueryResult<Vec<RefundItem>> {
    refund_items::table.filter(refund_items::refund_id.eq_any(ids)).select(RefundItem::as_select()).load(conn).await
}

/// Marks a refund of an order as done by the provider, which is asked about it later; returns whether it was not
/// before.
pub(crate) async fn set_done(
    tx: &mut Tx,
    (order, id): (OrderId, RefundId),
    external_id: &str,
    (now, check_at): (DateTime<Utc>, DateTime<Utc>),
) -> QueryResult<bool> {
    let done = diesel::update(refunds::table.find(id).filter(refunds::order_id.eq(order)))
        .filter(refunds::state.eq(RefundState::Pending))
        .set((
            refunds::state.eq(RefundState::Done),
            refunds::external_id.eq(external_id),
            refunds::done_at.eq(now),
            refunds::check_at.eq(check_at),
        ))
        .execute(tx.conn())
        .await?;
    Ok(done == 1)
}

/// Returns whether an order has such a refund that has not failed.
pub(crate) async fn has_not_failed(tx: &mut Tx, order: OrderId, id: RefundId) -> QueryResult<bool> {
    let known = refunds::table.find(id).filter(refunds::order_id.eq(order).and(refunds::state.ne(RefundState::Failed)));
    let known = known.select(refunds::id);
    diesel::select(diesel::dsl::exists(known)).get_result(tx.conn()).await
}

/// Returns a refund of an order, by our id or that of the provider, which goes first: an attempt of ours that was given up
/// may have been made at the provider nevertheless.
pub(crate) async fn find(
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
pub(crate) async fn set_failed(
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

/// Has the provider asked about a refund of an order that was made there.
pub(crate) async fn check_later(
    tx: &mut Tx,
    order: OrderId,
    external_id: &str,
    at: DateTime<Utc>,
) -> QueryResult<usize> {
    let made = refunds::table.filter(refunds::order_id.eq(order).and(refunds::external_id.eq(external_id)));
    diesel::update(made).set(refunds::check_at.eq(at)).execute(tx.conn()).await
}

/// Returns a batch of refunds about which the provider is to be asked.
pub(crate) async fn to_check(conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> QueryResult<Vec<Refund>> {
    refunds::table
        .filter(refunds::check_at.le(now))
        .order((refunds::check_at, refunds::id))
        .limit(BATCH)
        .select(Refund::as_select())
        .load(conn)
        .await
}

/// Sets when the provider is asked about a refund again; `None` if it is not.
pub(crate) async fn set_check(tx: &mut Tx, id: RefundId, at: Option<DateTime<Utc>>) -> QueryResult<usize> {
    diesel::update(refunds::table.find(id)).set(refunds::check_at.eq(at)).execute(tx.conn()).await
}

/// Returns whether a refund with the provider's id is known.
pub(crate) async fn is_known(tx: &mut Tx, order: OrderId, external_id: &str) -> QueryResult<bool> {
    let known = refunds::table.filter(refunds::order_id.eq(order).and(refunds::external_id.eq(external_id)));
    diesel::select(diesel::dsl::exists(known.select(refunds::id))).get_result(tx.conn()).await
}

/// Opens a dispute; returns whether it is new.
pub(crate) async fn open_dispute(
    tx: &mut Tx,
    id: Uuid,
    (order, external_id, amount): (OrderId, &str, i64),
    (now, check_at): (DateTime<Utc>, DateTime<Utc>),
) -> QueryResult<bool> {
    let opened = diesel::insert_into(disputes::table)
        .values((
            disputes::id.eq(id),
            disputes::order_id.eq(order),
            disputes::external_id.eq(external_id),
            disputes::amount_minor.eq(amount),
            disputes::status.eq(DisputeStatus::Open),
            disputes::opened_at.eq(now),
            disputes::check_at.eq(check_at),
        ))
        .on_conflict((disputes::order_id, disputes::external_id))
        .do_nothing()
        .execute(tx.conn())
        .await?;
    Ok(opened == 1)
}

/// Gives the reversal of an order that stands for a dispute the name of the dispute, which may be about more; returns
/// whether there is one.
pub(crate) async fn name_dispute(
    tx: &mut Tx,
    (order, external_id, amount): (OrderId, &str, i64),
    check_at: DateTime<Utc>,
) -> QueryResult<bool> {
    let known = disputes::table.filter(disputes::order_id.eq(order).and(disputes::external_id.eq(external_id)));
    let is_known: bool = diesel::select(diesel::dsl::exists(known.select(disputes::id))).get_result(tx.conn()).await?;
    if is_known {
        return Ok(false);
    }
    let unnamed = disputes::table
        .filter(disputes::order_id.eq(order).and(disputes::amount_minor.le(amount)))
        .filter(disputes::reversal_id.eq(disputes::external_id.nullable()))
        .order((disputes::amount_minor.desc(), disputes::id))
        .select(disputes::id);
    let found: Option<Uuid> = unnamed.first(tx.conn()).await.optional()?;
    let Some(id) = found else { return Ok(false) };
    diesel::update(disputes::table.find(id)).set(disputes::external_id.eq(external_id)).execute(tx.conn()).await?;
    let open = disputes::table.find(id).filter(disputes::check_at.is_not_null());
    diesel::update(open).set(disputes::check_at.eq(check_at)).execute(tx.conn()).await?;
    Ok(true)
}

/// Whether a reversal is that of a dispute of an order: it is known to be, or becomes that of one without, which may be
/// about more. One that is decided is the last choice.
pub(crate) async fn has_reversal(tx: &mut Tx, (order, reversal, amount): (OrderId, &str, i64)) -> QueryResult<bool> {
    let known =
        disputes::table.filter(disputes::order_id.eq(order).and(disputes::reversal_id.eq(reversal).assume_not_null()));
    let is_known: bool = diesel::select(diesel::dsl::exists(known.select(disputes::id))).get_result(tx.conn()).await?;
    if is_known {
        return Ok(true);
    }
    let without = disputes::table
        .filter(disputes::order_id.eq(order))
        .filter(disputes::reversal_id.is_null().and(disputes::amount_minor.ge(amount)))
        .order((disputes::closed_at.is_not_null(), disputes::amount_minor, disputes::id))
        .select(disputes::id);
    let found: Option<Uuid> = without.first(tx.conn()).await.optional()?;
    let Some(id) = found else { return Ok(false) };
    let dispute = disputes::table.find(id);
    diesel::update(dispute).set(disputes::reversal_id.eq(reversal)).execute(tx.conn()).await?;
    Ok(true)
}

/// Keeps that a dispute is a reversal, of which no dispute was told.
pub(crate) async fn set_reversal(
    tx: &mut Tx,
    (order, reversal): (OrderId, &str),
    check_at: DateTime<Utc>,
) -> QueryResult<usize> {
    let new = disputes::table.filter(disputes::order_id.eq(order).and(disputes::external_id.eq(reversal)));
    diesel::update(new)
        .set((disputes::reversal_id.eq(reversal), disputes::check_at.eq(check_at)))
        .execute(tx.conn())
        .await
}

/// Returns a batch of disputes about which the provider is to be asked.
pub(crate) async fn disputes_to_check(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
) -> QueryResult<Vec<OpenDispute>> {
    disputes::table
        .filter(disputes::check_at.le(now))
        .order((disputes::check_at, disputes::id))
        .limit(BATCH)
        .select(OpenDispute::as_select())
        .load(conn)
        .await
}

/// Whether a dispute is open, and known to the provider by this id.
pub(crate) async fn is_open_dispute(tx: &mut Tx, (id, external_id): (DisputeId, &str)) -> QueryResult<bool> {
    let open = disputes::table.find(id).filter(disputes::status.eq(DisputeStatus::Open));
    let named = open.filter(disputes::external_id.eq(external_id)).select(disputes::id);
    diesel::select(diesel::dsl::exists(named)).get_result(tx.conn()).await
}

/// Sets when the provider is asked about a dispute again, unless it is decided.
pub(crate) async fn set_dispute_check(tx: &mut Tx, id: DisputeId, at: DateTime<Utc>) -> QueryResult<usize> {
    let open = disputes::table.find(id).filter(disputes::check_at.is_not_null());
    diesel::update(open).set(disputes::check_at.eq(at)).execute(tx.conn()).await
}

/// Closes an open dispute; returns it, `None` if it is not open.
pub(crate) async fn close_dispute(
    tx: &mut Tx,
    (order, external_id): (OrderId, &str),
    status: DisputeStatus,
    now: DateTime<Utc>,
) -> QueryResult<Option<Dispute>> {
    let open = disputes::table.filter(disputes::order_id.eq(order).and(disputes::external_id.eq(external_id)));
    diesel::update(open.filter(disputes::status.eq(DisputeStatus::Open)))
        .set((disputes::status.eq(status), disputes::closed_at.eq(now), disputes::check_at.eq(None::<DateTime<Utc>>)))
        .returning(Dispute::as_returning())
        .get_result(tx.conn())
        .await
        .optional()
}

/// Returns a dispute that is lost, and the reversal that has taken its money, which may have stood for it until then.
pub(crate) async fn presumed_lost(
    tx: &mut Tx,
    (order, external_id): (OrderId, &str),
) -> QueryResult<Option<(DisputeId, String)>> {
    let dispute = disputes::table.filter(disputes::order_id.eq(order).and(disputes::external_id.eq(external_id)));
    dispute
        .filter(disputes::status.eq(DisputeStatus::Lost))
        .filter(disputes::reversal_id.ne(disputes::external_id.nullable()))
        .select((disputes::id, disputes::reversal_id.assume_not_null()))
        .first(tx.conn())
        .await
        .optional()
}

/// Keeps that a dispute was won that was counted as lost.
pub(crate) async fn set_won(tx: &mut Tx, id: DisputeId, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(disputes::table.find(id))
        .set((disputes::status.eq(DisputeStatus::Won), disputes::closed_at.eq(now)))
        .execute(tx.conn())
        .await
}

pub(crate) async fn disputes_by_ids(conn: &mut AsyncPgConnection, ids: &[DisputeId]) -> QueryResult<Vec<Dispute>> {
    disputes::table.filter(disputes::id.eq_any(ids)).select(Dispute::as_select()).load(conn).await
}

/// Returns the disputes about orders, oldest first.
pub(crate) async fn disputes_of(conn: &mut AsyncPgConnection, orders: &[OrderId]) -> QueryResult<Vec<Dispute>> {
    disputes::table
        .filter(disputes::order_id.eq_any(orders))
        .order((disputes::opened_at, disputes::id))
        .select(Dispute::as_select())
        .load(conn)
        .await
}
