//! Disputes: the buyer's bank takes the money back, until it is decided who keeps it.

use super::end::end_access;
use super::hold::{self, Held};
use super::ledger;
use super::pay::{count_students, restore};
use super::refund::{refunded_elsewhere, undo_refund};
use crate::orders::event::OrderDisputed;
use crate::orders::model::{DisputeStatus, OrderStatus, left_of};
use crate::orders::query::refund;
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

/// The reason of the refund that a lost dispute is.
const CHARGED_BACK: &str = "The payment was charged back.";

/// Opens a dispute about a locked order: the access ends. Doing it again does nothing.
pub(super) async fn open(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    (external_id, amount): (&str, i64),
) -> Result<(), InternalError> {
    let dispute = (held.order.id, external_id, amount);
    let id = app.clock.uuid();
    if !refund::open_dispute(tx, id, dispute, app.clock.now()).await? {
        return Ok(());
    }
    ledger::enter_dispute(tx, app, held, (id, amount)).await?;
    let mut more = Vec::new();
    for item in held.items.iter().filter(|item| item.is_live) {
        more.extend(end_access(tx, app, held, item).await?);
    }
    tell(tx, app, held).await?;
    count_students(tx, more).await
}

/// Closes a dispute: one that is won restores the access, one that is lost is a refund of its amount. Doing it again does nothing.
///
/// The event that opened it may come later.
pub(super) async fn close(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    (external_id, amount): (&str, i64),
    status: DisputeStatus,
) -> Result<(), InternalError> {
    open(tx, app, held, (external_id, amount)).await?;
    let order = held.order.id;
    let Some(closed) = refund::close_dispute(tx, (order, external_id), status, app.clock.now()).await? else {
        return Ok(());
    };
    ledger::enter_dispute_closed(tx, app, held, closed.id.uuid()).await?;
    tell(tx, app, held).await?;
    if status == DisputeStatus::Lost {
        for pending in refund::pending_of(tx, order).await? {
            // The provider refuses it by now, as the bank has taken the money.
            let held = hold::reread(tx, held).await?;
            undo_refund(tx, app, held, &pending, (None, CHARGED_BACK)).await?;
        }
        let held = hold::reread(tx, held).await?;
        let amount = closed.amount_minor.min(left_of(&held.items));
        refunded_elsewhere(tx, app, &held, (external_id, CHARGED_BACK), amount).await?;
    }
    let held = hold::reread(tx, held).await?;
    if held.order.status == OrderStatus::Refunded {
        return Ok(());
    }
    let more = restore(tx, app, &held).await?;
    count_students(tx, more).await
}

async fn tell(tx: &mut Tx, app: &App, held: &Held) -> Result<(), InternalError> {
    let disputed = OrderDisputed { order: held.order.id, buyer: held.order.buyer_id };
    outbox::record(tx, &app.clock, &disputed).await?;
    Ok(())
}
