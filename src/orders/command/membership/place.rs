//! Places the order of a period.

use crate::config::payments::TaxRate;
use crate::graphql::Result;
use crate::graphql::money::Money;
use crate::memberships::Begun;
use crate::orders::command::choice::BilledTo;
use crate::orders::command::coupon::Entered;
use crate::orders::command::create::{first_check, gateway, reminder};
use crate::orders::command::hold::Held;
use crate::orders::command::pay::fulfil;
use crate::orders::error;
use crate::orders::event::OrderPlaced;
use crate::orders::model::{
    Amounts, NewItem, NewOrder, NewPayment, Order, OrderId, OrderItemId, OrderItemKind, OrderStatus, Payment,
    PaymentState, Priced, amounts,
};
use crate::orders::query::{order as query, payment};
use crate::platform::App;
use crate::platform::db::Tx;
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
    /// Whom the invoice is for, if that was said.
    pub(super) billed_to: Option<&'a BilledTo>,
}

impl Terms<'_> {
    /// What the order costs.
    fn amounts(&self, tax: Option<TaxRate>) -> Amounts {
        priced(self.begun.period.charged_minor(), self.entered, tax)
    }
}

/// Returns what a price before coupon and tax costs.
pub(super) fn priced(price: i64, entered: Option<&Entered>, tax: Option<TaxRate>) -> Amounts {
    let discount = entered.map(|entered| entered.coupon.discount());
    let item = Priced { price, is_discounted: discount.is_some(), is_taxed: true };
    amounts(&[item], discount, tax).pop().unwrap_or_default()
}

/// Places the order of a period that was begun; returns it with its payment, unless it costs nothing and is paid at once.
///
/// It is charged to the membership's stored payment if there is one; otherwise it gets a checkout.
pub(super) async fn place(tx: &mut Tx, app: &App, terms: &Terms<'_>) -> Result<(Order, Option<Payment>)> {
    let (now, settings, begun) = (app.clock.now(), &app.config.payments, terms.begun);
    let buyer = begun.membership.user_id;
    let tax = settings.taxes.get(terms.country).copied();
    let amounts = terms.amounts(tax);
    let stored = begun.membership.provider.zip(begun.membership.authorization_id.as_deref());
    let stored = stored.filter(|(provider, _)| app.payments.account(*provider).is_some());
    let charged_to = stored.map(|(_, authorization)| authorization);
    let new = NewOrder {
        id: OrderId::new(app.clock.uuid()),
        buyer_id: buyer,
        status: OrderStatus::Pending,
        country: terms.country,
        currency: begun.price.currency,
        total_minor: amounts.total,
        return_url: terms.return_url,
        created_at: now,
        updated_at: now,
        expires_at: Some(now + settings.order_lifetime),
        remind_at: reminder(app, amounts.total).filter(|_| charged_to.is_none()),
        coupon_id: terms.entered.map(|entered| entered.coupon.id),
        discount_minor: amounts.discount,
        tax_minor: amounts.tax,
        tax_included: tax.is_none_or(|tax| tax.included),
        billing_name: terms.billed_to.and_then(|billed| billed.name.as_deref()),
        billing_address: terms.billed_to.and_then(|billed| billed.address.as_deref()),
        billing_tax_id: terms.billed_to.and_then(|billed| billed.tax_id.as_deref()),
        tax_rate: tax.map(|tax| tax.hundredths.cast_signed()),
    };
    let order = query::insert(tx, &new).await?;
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
    };
    let items = query::insert_items(tx, vec![item]).await?;
    outbox::record(tx, &app.clock, &OrderPlaced { order: order.id, buyer }).await?;
    if amounts.total == 0 {
        let (courses, gifts) = Default::default();
        let held = Held { order, items, courses, gifts, people: [buyer].into() };
        return Ok((fulfil(tx, app, &held, None).await?, None));
    }
    let chosen = stored.map(|(provider, _)| provider).or(terms.provider).or(app.payments.first());
    let (provider, account) = gateway(app, chosen)?;
    if !payments::can_charge(provider, amounts.total, order.currency.code()) {
        return Err(error::cannot_charge(Money::new(amounts.total, order.currency)));
    }
    let new = NewPayment {
        id: app.clock.uuid(),
        order_id: order.id,
        provider,
        account,
        state: PaymentState::Creating,
        amount_minor: amounts.total,
        currency: order.currency,
        created_at: now,
        updated_at: now,
        check_at: Some(first_check(now)),
        authorization_id: charged_to,
    };
    let payment = payment::insert(tx, &new).await?;
    Ok((order, Some(payment)))
}
