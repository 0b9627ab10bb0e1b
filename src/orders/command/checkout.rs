//! Opens the checkout of an order at its provider, and closes it.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use super::pay;
use super::refund::wait_at;
use crate::graphql::loaders::Load;
use crate::memberships::{self, PeriodId};
use crate::orders::event::OrderOpened;
use crate::orders::loader::ItemsOf;
use crate::orders::model::{Order, OrderStatus, Payment, PaymentState, Step};
use crate::orders::query::{order as query, payment as rows};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::{self, Postponed};
use crate::platform::outbox;
use crate::platform::payments::{self, Checkout, GatewayError, NewCharge, NewCheckout, NewSubscription, Provider};

/// The job that closes a checkout.
pub(crate) const CLOSE: &str = "orders.close_checkout";

/// How old a payment is when its checkout is not closed anymore: providers let it lapse by then.
const PATIENCE: TimeDelta = TimeDelta::days(7);

/// Creates the checkout of a payment, and keeps it. Doing it again does nothing. If the provider refuses it, the
/// payment has failed.
///
/// # Errors
/// The provider did not answer, or refused; the database failed.
pub(super) async fn open(app: &App, order: &Order, payment: &Payment) -> Result<(), GatewayError> {
    let items = ItemsOf(order.id).load_one(app).await?.unwrap_or_default();
    let first = items.first();
    let more = match items.len() {
        0 | 1 => String::new(),
        count => format!(" + {}", count - 1),
    };
    let title = format!("{}: {}{more}", order.number, first.map_or("", |item| item.title.as_str()));
    if let Some(authorization) = &payment.authorization_id {
        return charge(app, payment, authorization, title).await;
    }
    let subscription = match (payment.subscription_starts_at, first.and_then(|item| item.membership_period_id)) {
        (Some(starts_at), Some(period)) => Some(subscription(app, payment.provider, period, starts_at).await?),
        _ => None,
    };
    let new = NewCheckout {
        reference: payment.id.to_string(),
        title,
        amount_minor: payment.amount_minor,
        currency: payment.currency.code().to_owned(),
        return_url: order.return_url.as_ref().unwrap_or(&app.config.app_url).clone(),
        subscription,
    };
    let made = payments::create_checkout(app, payment.provider, &new).await;
    if let Err(GatewayError::Refused(_)) = &made {
        pay::failed(app, payment.id, Step::Fail, None).await?;
    }
    Ok(keep(app, order, payment, &made?).await?)
}

/// The subscription that a checkout starts for the periods after this one.
async fn subscription(
    app: &App,
    provider: Provider,
    period: PeriodId,
    starts_at: DateTime<Utc>,
) -> Result<NewSubscription, InternalError> {
    let found = memberships::price_at(&mut *app.db.read().await?, period, provider).await?;
    let (price, plan) = found.ok_or_else(|| InternalError::new("the provider does not know the price of a period"))?;
    let (amount_minor, interval_months) = (price.amount_minor, price.billing_interval.months());
    Ok(NewSubscription { plan, amount_minor, interval_months, starts_at })
}

async fn keep(app: &App, order: &Order, payment: &Payment, checkout: &Checkout) -> Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            let Some(order) = query::lock(tx, order.id).await? else { return Ok(()) };
            let Some(payment) = rows::lock(tx, payment.id).await? else { return Ok(()) };
            if payment.state != PaymentState::Creating {
                return Ok(());
            }
            rows::set_open(tx, payment.id, (&checkout.id, &checkout.url), app.clock.now()).await?;
            if order.status != OrderStatus::Pending {
                // It has ended meanwhile.
                return close_later(tx, app, payment.id).await;
            }
            let opened = OrderOpened { order: order.id, buyer: order.buyer_id };
            outbox::record(tx, &app.clock, &opened).await?;
            Ok(())
        })
        .await
}

/// Has the checkout of a payment closed by a job, so that it cannot be paid anymore.
pub(super) async fn close_later(tx: &mut Tx, app: &App, payment: Uuid) -> Result<(), InternalError> {
    let key = format!("{CLOSE}/{payment}");
    jobs::enqueue(tx, &app.clock, CLOSE, &json!({ "payment": payment }), &key).await
}

/// Closes the checkout of an order that has ended without payment. Doing it again does nothing.
///
/// # Errors
/// The provider did not answer, or refused; the database failed.
pub(crate) async fn close(app: &App, payment: Uuid) -> Result<(), InternalError> {
    let mut conn = app.db.read().await?;
    let Some(payment) = rows::by_id(&mut conn, payment).await? else { return Ok(()) };
    let Some(order) = query::by_id(&mut conn, payment.order_id).await? else { return Ok(()) };
    drop(conn);
    let is_over = payment.state == PaymentState::Open && order.status.is_unpaid_end();
    let Some(checkout) = payment.external_id.filter(|_| is_over) else { return Ok(()) };
    let age = app.clock.now() - payment.created_at;
    match payments::close_checkout(app, payment.provider, &checkout).await {
        Ok(()) => Ok(()),
        // The order has ended anyway; money that arrives goes back or pays for it.
        Err(error @ (GatewayError::Off | GatewayError::Refused(_))) => {
            tracing::warn!(%error, order = order.number, "a checkout cannot be closed");
            Ok(())
        }
        Err(error) if age < PATIENCE => {
            tracing::warn!(%error, order = order.number, "a checkout is not closed yet");
            Err(Postponed(wait_at(age)).into())
        }
        Err(error) => Err(error.into()),
    }
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
        Err(GatewayError::Refused(_)) => return Ok(pay::failed(app, payment.id, Step::Fail, None).await?),
        known => known?,
    };
    // A job asks again about what is not decided.
    Ok(pay::decided(app, payment, &known).await?)
}
