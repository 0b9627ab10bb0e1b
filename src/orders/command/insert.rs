//! Inserts orders that are placed, and their payments.

use chrono::{DateTime, TimeDelta, Utc};

use super::choice::BilledTo;
use super::tax::OrderTax;
use crate::accounts::UserId;
use crate::graphql::Result;
use crate::graphql::money::{CurrencyCode, Money};
use crate::orders::error;
use crate::orders::model::{
    Amounts, CouponId, NewOrder, NewPayment, NewTax, Order, OrderId, OrderStatus, Payment, PaymentState,
};
use crate::orders::query::{order as query, payment, tax as taxes};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::payments::{self, Provider};

/// When the job looks whether a checkout was opened.
const FIRST_CHECK: TimeDelta = TimeDelta::minutes(1);

/// An order that is placed.
pub(super) struct Draft<'a> {
    pub(super) buyer: UserId,
    /// The buyer's country (ISO 3166-1, two letters).
    pub(super) country: &'a str,
    pub(super) currency: CurrencyCode,
    /// What it costs.
    pub(super) sum: Amounts,
    pub(super) tax: &'a OrderTax,
    pub(super) coupon: Option<CouponId>,
    /// Where the checkout leads back to; `None` for the app.
    pub(super) return_url: Option<&'a str>,
    /// Whom the invoice is for, if that was said.
    pub(super) billed_to: Option<&'a BilledTo>,
    /// Whether the buyer is to pay on a page of the provider, of which they are reminded.
    pub(super) has_checkout: bool,
}

/// Inserts an order without items.
pub(super) async fn insert_order(
    tx: &mut Tx,
    app: &App,
    draft: &Draft<'_>,
) -> std::result::Result<Order, InternalError> {
    let (now, settings) = (app.clock.now(), &app.config.payments);
    let remind_at = settings.reminder.map(|after| now + after);
    let row = NewOrder {
        id: OrderId::new(app.clock.uuid()),
        buyer_id: draft.buyer,
        status: OrderStatus::Pending,
        country: draft.country,
        currency: draft.currency,
        total_minor: draft.sum.total,
        // Kept also if it is the usual one: a checkout that is asked for again must be the same, though settings differ.
        return_url: draft.return_url.unwrap_or(&app.config.app_url),
        created_at: now,
        updated_at: now,
        expires_at: Some(now + settings.order_lifetime),
        remind_at: remind_at.filter(|_| draft.has_checkout && draft.sum.total > 0),
        coupon_id: draft.coupon,
        discount_minor: draft.sum.discount,
        tax_minor: draft.sum.tax,
        tax_included: draft.tax.is_included,
        billing_name: draft.billed_to.and_then(|billed| billed.name.as_deref()),
        billing_address: draft.billed_to.and_then(|billed| billed.address.as_deref()),
        billing_tax_id: draft.billed_to.and_then(|billed| billed.tax_id.as_deref()),
        tax_rate: draft.tax.rate.map(u32::cast_signed),
    };
    let order = query::insert(tx, &row).await?;
    if let Some(calculation_id) = &draft.tax.calculation {
        taxes::insert(tx, &NewTax { order_id: order.id, calculation_id }).await?;
    }
    Ok(order)
}

/// How an order is paid.
#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    /// On a page. It starts a subscription that charges for the first time at this time, if there is one.
    Page(Option<DateTime<Utc>>),
    /// Charged to this earlier checkout.
    Charge(&'a str),
}

/// Inserts the payment of an order at the provider that was chosen, or the only one.
pub(super) async fn insert_payment(
    tx: &mut Tx,
    app: &App,
    order: &Order,
    chosen: Option<Provider>,
    way: Way<'_>,
) -> Result<Payment> {
    let (provider, account) = gateway(app, chosen)?;
    let (authorization_id, subscription_starts_at) = match way {
        Way::Page(starts_at) => (None, starts_at),
        Way::Charge(authorization) => (Some(authorization), None),
    };
    if !payments::can_charge(provider, order.total_minor, order.currency.code()) {
        return Err(error::cannot_charge(Money::new(order.total_minor, order.currency)));
    }
    let now = app.clock.now();
    let row = NewPayment {
        id: app.clock.uuid(),
        order_id: order.id,
        provider,
        account,
        state: PaymentState::Creating,
        amount_minor: order.total_minor,
        currency: order.currency,
        created_at: now,
        updated_at: now,
        check_at: Some(now + FIRST_CHECK),
        authorization_id,
        subscription_starts_at,
    };
    Ok(payment::insert(tx, &row).await?)
}

/// Returns the provider that the buyer has chosen, or the only one, and the school's account there.
pub(super) fn gateway(app: &App, chosen: Option<Provider>) -> Result<(Provider, &str)> {
    let provider = match (chosen, app.payments.available().as_slice()) {
        (Some(provider), _) => provider,
        (None, []) => return Err(error::no_payments()),
        (None, [provider]) => *provider,
        (None, _) => return Err(error::which_provider()),
    };
    Ok((provider, app.payments.account(provider).ok_or_else(error::no_such_provider)?))
}
