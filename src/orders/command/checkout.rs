//! Opens the checkout of an order at its provider.

use super::pay;
use crate::graphql::loaders::Load;
use crate::orders::event::OrderOpened;
use crate::orders::loader::ItemsOf;
use crate::orders::model::{Order, Payment, PaymentState};
use crate::orders::query::{order as query, payment as rows};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;
use crate::platform::payments::{self, CheckoutState, GatewayError, NewCharge, NewCheckout};

/// Creates the checkout of a payment, and keeps it. Doing it again does nothing.
///
/// # Errors
/// The provider did not answer, or refused; the database failed.
pub(super) async fn open(app: &App, order: &Order, payment: &Payment) -> Result<(), GatewayError> {
    let items = ItemsOf(order.id).load_one(app).await?.unwrap_or_default();
    let first = items.first().map(|item| item.title.clone()).unwrap_or_default();
    let more = match items.len() {
        0 | 1 => String::new(),
        count => format!(" + {}", count - 1),
    };
    let title = format!("{}: {first}{more}", order.number);
    if let Some(authorization) = &payment.authorization_id {
        return charge(app, payment, authorization, title).await;
    }
    let new = NewCheckout {
        reference: payment.id.to_string(),
        title,
        amount_minor: payment.amount_minor,
        currency: payment.currency.code().to_owned(),
        return_url: order.return_url.clone(),
    };
    let checkout = payments::create_checkout(app, payment.provider, &new).await?;
    let kept = app.db.transaction(async |tx| {
        let Some(order) = query::lock(tx, order.id).await? else { return Ok(()) };
        let Some(payment) = rows::lock(tx, payment.id).await? else { return Ok(()) };
        if payment.state != PaymentState::Creating {
            return Ok(());
        }
        rows::set_open(tx, payment.id, (&checkout.id, &checkout.url), app.clock.now()).await?;
        let opened = OrderOpened { order: order.id, buyer: order.buyer_id };
        outbox::record(tx, &app.clock, &opened).await?;
        Ok::<_, InternalError>(())
    });
    Ok(kept.await?)
}

/// Charges a payment to an earlier checkout of the member. Doing it again does nothing.
async fn charge(app: &App, payment: &Payment, authorization: &str, title: String) -> Result<(), GatewayError> {
    let new = NewCharge {
        reference: payment.id.to_string(),
        authorization: authorization.to_owned(),
        title,
        amount_minor: payment.amount_minor,
        currency: payment.currency.code().to_owned(),
    };
    let known = match payments::charge(app, payment.provider, &new).await {
        // There is nothing to charge anymore, such as an expired card.
        Err(GatewayError::Refused(_)) => return Ok(pay::failed(app, payment.id).await?),
        known => known?,
    };
    match known.state {
        CheckoutState::Paid => pay::paid(app, payment.id, &known.checkout).await?,
        CheckoutState::Failed => pay::failed(app, payment.id).await?,
        // A job asks again.
        CheckoutState::Open => {}
    }
    Ok(())
}
