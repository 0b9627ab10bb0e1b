//! Disputes: the buyer's bank takes the money back, until it is decided who keeps it.

use chrono::TimeDelta;

use super::end::end_access;
use super::hold::{self, Held};
use super::ledger;
use super::pay::{count_students, restore};
use super::refund::{came_back, fail_refund, refunded_elsewhere, return_rest};
use crate::orders::event::OrderDisputed;
use crate::orders::model::{DisputeStatus, OrderStatus, left_of};
use crate::orders::query::refund as rows;
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

/// How long after it was opened the provider is asked how a dispute was decided.
const ASKED: TimeDelta = TimeDelta::days(7);
/// After what time a reversal of which no dispute was told counts as one that is lost.
const NO_CASE: TimeDelta = TimeDelta::days(90);
/// The reason of the refund that a lost dispute is.
const CHARGED_BACK: &str = "The payment was charged back.";

/// Opens a dispute about a locked order: the access ends. Doing it again does nothing, nor does it if its money was
/// reversed before.
pub(super) async fn open(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    (external_id, amount): (&str, i64),
) -> Result<(), InternalError> {
    let dispute = (held.order.id, external_id, amount);
    if rows::name_dispute(tx, dispute, app.clock.now() + ASKED).await? {
        return Ok(());
    }
    begin(tx, app, held, (external_id, amount)).await
}

/// Does what follows when the provider has taken money of a locked order back because of a case: nothing if the dispute
/// that the case is was told before; otherwise it is open, until the dispute is told and decided. Doing it again does
/// nothing.
pub(super) async fn reversed(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    (reversal, amount): (&str, i64),
) -> Result<(), InternalError> {
    let order = held.order.id;
    // An earlier version took a reversal for a refund.
    if rows::is_known(tx, order, reversal).await? || rows::has_reversal(tx, (order, reversal, amount)).await? {
        return Ok(());
    }
    begin(tx, app, held, (reversal, amount)).await?;
    rows::set_reversal(tx, (order, reversal), app.clock.now() + NO_CASE).await?;
    Ok(())
}

async fn begin(tx: &mut Tx, app: &App, held: &Held, (external_id, amount): (&str, i64)) -> Result<(), InternalError> {
    let (id, now) = (app.clock.uuid(), app.clock.now());
    if !rows::open_dispute(tx, id, (held.order.id, external_id, amount), (now, now + ASKED)).await? {
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

/// Closes a dispute: one that is won restores the access, one that is lost is a refund of its amount. Doing it again
/// does nothing.
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
    let Some(closed) = rows::close_dispute(tx, (order, external_id), status, app.clock.now()).await? else {
        return if status == DisputeStatus::Won { won_after_all(tx, app, held, external_id).await } else { Ok(()) };
    };
    ledger::enter_dispute_closed(tx, app, held, closed.id.uuid()).await?;
    tell(tx, app, held).await?;
    if status == DisputeStatus::Lost {
        for pending in rows::pending_of(tx, order).await? {
            // The provider refuses it by now, as the bank has taken the money.
            let held = hold::reread(tx, held).await?;
            fail_refund(tx, app, held, &pending, (None, CHARGED_BACK)).await?;
        }
        let held = hold::reread(tx, held).await?;
        let amount = closed.amount_minor.min(left_of(&held.items));
        refunded_elsewhere(tx, app, &held, (external_id, CHARGED_BACK), amount).await?;
    }
    let held = hold::reread(tx, held).await?;
    if held.order.status == OrderStatus::Refunded {
        return Ok(());
    }
    // Late money for an order that had ended gives no access: it goes back now that it is ours again.
    if held.order.status.is_unpaid_end() {
        return if status == DisputeStatus::Won { return_rest(tx, app, &held).await } else { Ok(()) };
    }
    let more = restore(tx, app, &held, None).await?;
    count_students(tx, more).await
}

/// Undoes that a reversal counted as lost, because its dispute was not told for so long: now it is told, and won. Doing
/// it again does nothing.
async fn won_after_all(tx: &mut Tx, app: &App, held: &Held, external_id: &str) -> Result<(), InternalError> {
    let lost = rows::presumed_lost(tx, (held.order.id, external_id)).await?;
    let Some((dispute, reversal)) = lost else { return Ok(()) };
    let now = hold::reread(tx, held).await?;
    // It is the refund of its own name only if it had no other one when it was lost.
    if came_back(tx, app, now, (None, &reversal)).await? {
        rows::set_won(tx, dispute, app.clock.now()).await?;
        tell(tx, app, held).await?;
        return_rest(tx, app, held).await?;
    }
    Ok(())
}

async fn tell(tx: &mut Tx, app: &App, held: &Held) -> Result<(), InternalError> {
    let disputed = OrderDisputed { order: held.order.id, buyer: held.order.buyer_id };
    outbox::record(tx, &app.clock, &disputed).await?;
    Ok(())
}
