//! Orders that are not paid: canceled by their buyers, or expired.

use futures_util::stream::{self, StreamExt};

use super::donation::forget_donor;
use super::end::end;
use super::gift::forget_giver;
use super::hold;
use crate::accounts::UserId;
use crate::graphql::Result;
use crate::orders::event::OrderUnpaid;
use crate::orders::model::{CancelOrderInput, Order, OrderId, Step};
use crate::orders::query::order as query;
use crate::orders::{error, policy};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs;
use crate::platform::outbox;

/// Cancels an order that waits for its payment.
///
/// # Errors
/// There is no such order of the actor, it does not wait for its payment, or that is on its way.
pub async fn cancel_order(app: &App, actor: &Actor, input: CancelOrderInput) -> Result<Order> {
    app.db
        .transaction(async |tx| {
            let held = hold::lock(tx, input.order_id).await?;
            let held = held.filter(|held| policy::can_see(actor, held.order.buyer_id));
            let held = held.ok_or_else(error::no_such_order)?;
            if held.order.status.after(Step::Cancel).is_none() {
                return Err(error::not_pending(&held.order));
            }
            if held.order.is_processing() && !policy::can_manage(actor) {
                return Err(error::processing(&["orderId"]));
            }
            Ok(end(tx, app, &held, Step::Cancel).await?)
        })
        .await
}

/// Ends all orders whose time to pay is over.
///
/// # Errors
/// The database failed.
pub(crate) async fn expire_orders(app: &App) -> std::result::Result<(), InternalError> {
    while !app.stopping.is_cancelled() {
        let now = app.clock.now();
        let due = query::expired(&mut *app.db.read().await?, now).await?;
        if due.is_empty() {
            break;
        }
        let is_due = |order: &Order| order.expires_at.is_some_and(|at| at <= now);
        jobs::do_all(stream::iter(due).then(|id| end_one(app, id, Step::Expire, is_due))).await?;
    }
    Ok(())
}

/// Ends the repeated donations of a deleted user, and cancels their orders that wait for their payment. Others stay,
/// for the books.
///
/// # Errors
/// The database failed.
pub(crate) async fn forget_user(app: &App, user: UserId) -> std::result::Result<(), InternalError> {
    forget_donor(app, user).await?;
    loop {
        let pending = query::pending_of(&mut *app.db.read().await?, user).await?;
        if pending.is_empty() {
            return forget_giver(app, user).await;
        }
        for id in pending {
            end_one(app, id, Step::Cancel, |_| true).await?;
        }
    }
}

async fn end_one(
    app: &App,
    id: OrderId,
    step: Step,
    is_due: impl Fn(&Order) -> bool + Send + Sync,
) -> std::result::Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            let Some(held) = hold::lock(tx, id).await? else { return Ok(()) };
            if held.order.status.after(step).is_some() && is_due(&held.order) {
                end(tx, app, &held, step).await?;
            }
            Ok(())
        })
        .await
}

/// Reminds the buyers of orders that are not paid, each once.
///
/// # Errors
/// The database failed.
pub(crate) async fn remind(app: &App) -> std::result::Result<(), InternalError> {
    while !app.stopping.is_cancelled() {
        let reminded = app.db.transaction(async |tx| {
            let due = query::take_unpaid(tx, app.clock.now()).await?;
            for order in &due {
                let unpaid = OrderUnpaid { order: order.id, buyer: order.buyer_id };
                outbox::record(tx, &app.clock, &unpaid).await?;
            }
            Ok::<_, InternalError>(due.len())
        });
        if reminded.await? == 0 {
            break;
        }
    }
    Ok(())
}
