//! Ends orders that were not paid, and access that was.

use super::checkout::close_later;
use super::hold::Held;
use super::pay::count_students;
use crate::catalog::CourseId;
use crate::entitlements::{self, EndReason, Target};
use crate::memberships;
use crate::orders::event::{OrderCanceled, OrderExpired, OrderFailed};
use crate::orders::model::{Order, OrderItem, PaymentState, Step};
use crate::orders::query::{gift, order as query, payment};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

/// Ends a locked order that waits for its payment; returns it as it is now.
pub(super) async fn end(tx: &mut Tx, app: &App, held: &Held, step: Step) -> Result<Order, InternalError> {
    let (order, buyer, clock) = (held.order.id, held.order.buyer_id, &app.clock);
    let status = held.order.status.after(step).ok_or_else(|| InternalError::new("an order cannot end like this"))?;
    let ended = query::set_status(tx, order, status, None, clock.now()).await?;
    query::set_live(tx, order, false).await?;
    let payment = payment::of_orders(tx.conn(), &[order]).await?.pop();
    if let Some(payment) = payment.filter(|payment| payment.state == PaymentState::Open) {
        close_later(tx, app, payment.id).await?;
    }
    let mut more = Vec::new();
    for period in held.items.iter().filter_map(|item| item.membership_period_id) {
        more.extend(memberships::unpaid(tx, app, period).await?);
    }
    for extra in held.items.iter().filter_map(|item| item.extra_hours_id) {
        memberships::hours_unpaid(tx, extra).await?;
    }
    match step {
        Step::Fail => outbox::record(tx, clock, &OrderFailed { order, buyer }).await?,
        Step::Expire => outbox::record(tx, clock, &OrderExpired { order, buyer }).await?,
        _ => outbox::record(tx, clock, &OrderCanceled { order, buyer }).await?,
    };
    count_students(tx, more).await?;
    Ok(ended)
}

/// Ends the access that was bought with an item; returns by how much that changes the number of the course's students.
pub(super) async fn end_access(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    item: &OrderItem,
) -> Result<Option<(CourseId, i32)>, InternalError> {
    query::set_item_live(tx, item.id, false).await?;
    if let Some(period) = item.membership_period_id {
        return memberships::revoke(tx, app, period).await;
    }
    if let Some(extra) = item.extra_hours_id {
        memberships::revoke_hours(tx, app, extra).await?;
        return Ok(None);
    }
    if let Some(gift) = held.gift_of(item) {
        gift::set_expiry(tx, gift.id, None).await?;
    }
    let (Some(course), Some(owner)) = (item.course_id, held.owner_of(item)) else { return Ok(None) };
    let open = entitlements::open(tx, owner, Target::Course(course.uuid())).await?;
    let Some(row) = open.iter().find(|row| Some(row.id) == item.entitlement_id) else { return Ok(None) };
    entitlements::end(tx, app, row, EndReason::Refunded).await?;
    Ok(Some((course, -i32::from(open.len() == 1))))
}
