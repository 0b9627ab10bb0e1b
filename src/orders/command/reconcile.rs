//! Asks the providers what has become of open payments, for what no webhook told.

use futures_util::stream::{self, StreamExt};

use super::end::end;
use super::hold;
use super::{checkout, follow_up, pay};
use crate::orders::model::{LONGEST_WAIT, Order, OrderStatus, Payment, PaymentState, Step};
use crate::orders::query::{order, payment as rows};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs;
use crate::platform::payments::{self, Asked, CheckoutState, Known};

/// The number of questions at a time.
const IN_FLIGHT: usize = 8;

/// Asks about each open payment that is due, and each refund and dispute.
///
/// # Errors
/// The database failed.
pub(crate) async fn reconcile(app: &App) -> Result<(), InternalError> {
    let due = rows::to_check(&mut *app.db.read().await?, app.clock.now()).await?;
    let asked = jobs::do_all(stream::iter(due).map(|payment| ask(app, payment)).buffer_unordered(IN_FLIGHT)).await;
    let followed = follow_up::reconcile(app).await;
    asked.and(followed)
}

async fn ask(app: &App, payment: Payment) -> Result<(), InternalError> {
    if let Err(error) = ask_now(app, &payment).await {
        tracing::warn!(error = error.report(), payment = %payment.id, "the state of a payment is not known yet");
    }
    // Does nothing if the payment has ended.
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let Some(at) = payment.next_check(now) else { return give_up(tx, app, &payment).await };
            rows::set_check(tx, payment.id, at).await?;
            Ok(())
        })
        .await
}

/// Gives a payment up that is open. An order whose payment is still processed ends first, which closes its checkout; if
/// its money comes after all, it pays for it or goes back.
async fn give_up(tx: &mut Tx, app: &App, payment: &Payment) -> Result<(), InternalError> {
    let Some(held) = hold::lock(tx, payment.order_id).await? else { return Ok(()) };
    let Some(row) = rows::lock(tx, payment.id).await? else { return Ok(()) };
    if !row.state.is_open() {
        return Ok(());
    }
    let now = app.clock.now();
    if held.order.is_processing() {
        end(tx, app, &held, Step::Expire).await?;
        rows::set_check(tx, row.id, now + LONGEST_WAIT).await?;
    } else {
        rows::set_ended(tx, row.id, PaymentState::Abandoned, now).await?;
    }
    Ok(())
}

/// Asks the provider about a payment, and does what follows.
///
/// # Errors
/// The provider did not answer; its answer contradicts the order; the database failed.
pub(super) async fn ask_now(app: &App, payment: &Payment) -> Result<(), InternalError> {
    let Some(order) = order::by_id(&mut *app.db.read().await?, payment.order_id).await? else { return Ok(()) };
    let reference = payment.id.to_string();
    let asked = Asked {
        provider: payment.provider,
        reference: &reference,
        checkout: payment.external_id.as_deref(),
        is_wanted: order.status == OrderStatus::Pending,
    };
    let known = payments::fetch_state(app, &asked).await?;
    follow(app, payment, &order, known).await
}

async fn follow(app: &App, payment: &Payment, order: &Order, known: Option<Known>) -> Result<(), InternalError> {
    if let Some(known) = known.filter(|known| known.state != CheckoutState::Open) {
        return pay::decided(app, payment, &known).await;
    }
    // The checkout was not created, or its answer was lost.
    if payment.state == PaymentState::Creating && order.status == OrderStatus::Pending {
        checkout::open(app, order, payment).await?;
    }
    Ok(())
}
