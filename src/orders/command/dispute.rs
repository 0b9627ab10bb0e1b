//! Disputes: the buyer's bank takes the money back, until it is decided who keeps it.

use super::end::end_access;
use super::hold::Held;
use super::pay::{count_students, give, is_owned};
use super::refund::refunded_elsewhere;
use crate::memberships;
use crate::orders::event::OrderDisputed;
use crate::orders::model::DisputeStatus;
use crate::orders::query::{order as query, refund as rows};
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
    if !rows::open_dispute(tx, app.clock.uuid(), dispute, app.clock.now()).await? {
        return Ok(());
    }
    let mut more = Vec::new();
    for item in held.items.iter().filter(|item| item.is_live) {
        more.extend(end_access(tx, app, held, item).await?);
    }
    tell(tx, app, held).await?;
    count_students(tx, more).await
}

/// Closes a dispute: one that is won restores the access, one that is lost is a refund. Doing it again does nothing.
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
    if rows::close_dispute(tx, (order, external_id), status, app.clock.now()).await?.is_none() {
        return Ok(());
    }
    tell(tx, app, held).await?;
    if status == DisputeStatus::Lost {
        let held = fresh(tx, held).await?;
        refunded_elsewhere(tx, app, &held, (external_id, CHARGED_BACK), None).await?;
        return Ok(());
    }
    let mut more = Vec::new();
    for item in fresh(tx, held).await?.items {
        if let Some(period) = item.membership_period_id.filter(|_| held.has_buyer) {
            if let Some(restored) = memberships::restore(tx, app, period).await? {
                query::set_item_live(tx, item.id, true).await?;
                more.extend(restored.students);
            }
            continue;
        }
        let Some(course) = item.course_id.filter(|id| held.courses.contains_key(id) && held.has_buyer) else {
            continue;
        };
        let is_refunded = item.refunded_minor == item.amount_minor && item.amount_minor > 0;
        let has_another = !query::live_of(tx, held.order.buyer_id, &[course]).await?.is_empty()
            || is_owned(tx, app, held.order.buyer_id, course).await?;
        if is_refunded || has_another {
            continue;
        }
        query::set_item_live(tx, item.id, true).await?;
        more.extend(give(tx, app, held.order.buyer_id, &item).await?);
    }
    count_students(tx, more).await
}

/// The order as this transaction has left it.
async fn fresh(tx: &mut Tx, held: &Held) -> Result<Held, InternalError> {
    let order = query::by_id(tx.conn(), held.order.id).await?.unwrap_or_else(|| held.order.clone());
    let items = query::items_of(tx.conn(), &[order.id]).await?;
    Ok(Held { order, items, courses: held.courses.clone(), has_buyer: held.has_buyer })
}

async fn tell(tx: &mut Tx, app: &App, held: &Held) -> Result<(), InternalError> {
    let disputed = OrderDisputed { order: held.order.id, buyer: held.order.buyer_id };
    outbox::record(tx, &app.clock, &disputed).await?;
    Ok(())
}
