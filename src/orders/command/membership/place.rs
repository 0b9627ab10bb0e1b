//! Places the order of a period.

use chrono::{DateTime, Utc};

use crate::graphql::Result;
use crate::memberships::{self, Begun, MembershipId, NextCharge};
use crate::orders::command::choice::BilledTo;
use crate::orders::command::coupon::Entered;
use crate::orders::command::hold::Held;
use crate::orders::command::insert::{Draft, Way, gateway, insert_order, insert_payment};
use crate::orders::command::pay::fulfil;
use crate::orders::command::tax::{Calculations, OrderTax, Taxed, adds_tax};
use crate::orders::event::OrderPlaced;
use crate::orders::model::{Amounts, NewItem, Order, OrderItemId, OrderItemKind, Payment, Priced};
use crate::orders::query::order as query;
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;
use crate::platform::payments::{self, Provider};

/// What is known of the order of a period.
pub(super) struct Terms<'a> {
    /// The period.
    pub(super) begun: &'a Begun,
    /// The member's country (ISO 3166-1, two letters).
    pub(super) country: &'a str,
    /// The coupon.
    pub(super) entered: Option<&'a Entered>,
    /// Where the checkout leads back to.
    pub(super) return_url: Option<&'a str>,
    /// The provider that the buyer has chosen.
    pub(super) provider: Option<Provider>,
    /// Whom the invoice is for, if that was said; `None` for whom that of the membership's latest order is for.
    pub(super) billed_to: Option<&'a BilledTo>,
}

/// Returns what a price before coupon and tax costs.
///
/// # Errors
/// The tax is to be calculated first ([`Calculations::price`]).
pub(super) fn priced(
    app: &App,
    calculations: &Calculations,
    buyer: Taxed<'_>,
    price: i64,
    entered: Option<&Entered>,
) -> Result<(Amounts, OrderTax)> {
    let discount = entered.map(|entered| entered.coupon.discount());
    let item = Priced { price, is_discounted: discount.is_some(), is_taxed: true };
    let (mut amounts, tax) = calculations.price(app, buyer, &[item], discount)?;
    Ok((amounts.pop().unwrap_or_default(), tax))
}

/// Returns whom the invoice of the latest order of a membership is for.
pub(super) async fn billed_before(
    tx: &mut Tx,
    id: MembershipId,
) -> std::result::Result<Option<BilledTo>, InternalError> {
    let orders = query::of_memberships(tx.conn(), &[id]).await?;
    let billed = |(_, order): (_, Order)| BilledTo {
        name: order.billing_name,
        address: order.billing_address,
        tax_id: order.billing_tax_id,
    };
    Ok(orders.into_iter().next().map(billed))
}

/// Places the order of a period that was begun; returns it with its payment, unless it costs nothing and is paid at once.
///
/// It is charged to the membership's stored payment if there is one; otherwise it gets a checkout, which starts a
/// subscription where that can charge the next periods.
///
/// # Errors
/// The tax is to be calculated first ([`Calculations::price`]); see [`insert_payment`].
pub(super) async fn place(
    tx: &mut Tx,
    app: &App,
    terms: &Terms<'_>,
    calculations: &Calculations,
) -> Result<(Order, Option<Payment>)> {
    let begun = terms.begun;
    let stored = begun.membership.provider.zip(begun.membership.authorization_id.as_deref());
    let stored = stored.filter(|(provider, _)| app.payments.account(*provider).is_some());
    let held = insert(tx, app, terms, calculations, stored.is_none()).await?;
    if held.order.total_minor == 0 {
        return Ok((fulfil(tx, app, &held, &NextCharge::Stored).await?, None));
    }
    let order = held.order;
    let (provider, way) = match stored {
        Some((provider, authorization)) => (provider, Way::Charge(authorization)),
        None => {
            let (provider, _) = gateway(app, terms.provider)?;
            (provider, Way::Page(subscription_start(tx, app, terms, (&order, provider)).await?))
        }
    };
    let payment = insert_payment(tx, app, &order, Some(provider), way).await?;
    Ok((order, Some(payment)))
}

/// Inserts the order of a period.
///
/// # Errors
/// The tax is to be calculated first ([`Calculations::price`]).
pub(super) async fn insert(
    tx: &mut Tx,
    app: &App,
    terms: &Terms<'_>,
    calculations: &Calculations,
    has_checkout: bool,
) -> Result<Held> {
    let begun = terms.begun;
    let buyer = begun.membership.user_id;
    let before = match terms.billed_to {
        Some(_) => None,
        None => billed_before(tx, begun.membership.id).await?,
    };
    let billed_to = terms.billed_to.or(before.as_ref());
    let taxed = Taxed {
        country: terms.country,
        tax_id: billed_to.and_then(|billed| billed.tax_id.as_deref()),
        currency: begun.price.currency,
    };
    let charged = begun.period.charged_minor();
    let (amounts, tax) = priced(app, calculations, taxed, charged, terms.entered)?;
    let draft = Draft {
        buyer,
        country: terms.country,
        currency: begun.price.currency,
        sum: amounts,
        tax: &tax,
        coupon: terms.entered.map(|entered| entered.coupon.id),
        return_url: terms.return_url,
        billed_to,
        has_checkout,
    };
    let order = insert_order(tx, app, &draft).await?;
    let item = NewItem {
        id: OrderItemId::new(app.clock.uuid()),
        order_id: order.id,
        buyer_id: buyer,
        position: 0,
        kind: OrderItemKind::Membership,
        title: begun.plan.name.clone(),
        course_id: None,
        amount_minor: amounts.total,
        is_live: true,
        discount_minor: amounts.discount,
        tax_minor: amounts.tax,
        membership_id: Some(begun.membership.id),
        membership_period_id: Some(begun.period.id),
        extra_hours_id: None,
    };
    let items = query::insert_items(tx, vec![item]).await?;
    outbox::record(tx, &app.clock, &OrderPlaced { order: order.id, buyer }).await?;
    let (courses, gifts) = Default::default();
    Ok(Held { order, items, courses, gifts, people: [buyer].into() })
}

/// Returns when the subscription charges for the first time that the checkout of an order starts; `None` if it starts
/// none, as each period would not cost what its renewal here does.
async fn subscription_start(
    tx: &mut Tx,
    app: &App,
    terms: &Terms<'_>,
    (order, provider): (&Order, Provider),
) -> Result<Option<DateTime<Utc>>> {
    let (begun, price) = (terms.begun, &terms.begun.price);
    let is_taxed_more = adds_tax(app, &begun.membership.country);
    if is_taxed_more || !payments::can_charge(provider, price.amount_minor, price.currency.code()) {
        return Ok(None);
    }
    let until = order.expires_at.unwrap_or_else(|| app.clock.now());
    Ok(memberships::subscription_start(tx, app, begun, provider, until).await?)
}
