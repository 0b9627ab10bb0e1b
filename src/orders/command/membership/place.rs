//! Places the order of a period.

use crate::config::payments::TaxRate;
use crate::graphql::Result;
use crate::memberships::Begun;
use crate::orders::command::choice::BilledTo;
use crate::orders::command::coupon::Entered;
use crate::orders::command::hold::Held;
use crate::orders::command::insert::{Draft, insert_order, insert_payment};
use crate::orders::command::pay::fulfil;
use crate::orders::event::OrderPlaced;
use crate::orders::model::{Amounts, NewItem, Order, OrderItemId, OrderItemKind, Payment, Priced, amounts};
use crate::orders::query::order as query;
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::outbox;
use crate::platform::payments::Provider;

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
    let begun = terms.begun;
    let buyer = begun.membership.user_id;
    let tax = app.config.payments.taxes.get(terms.country).copied();
    let amounts = terms.amounts(tax);
    let stored = begun.membership.provider.zip(begun.membership.authorization_id.as_deref());
    let stored = stored.filter(|(provider, _)| app.payments.account(*provider).is_some());
    let draft = Draft {
        buyer,
        country: terms.country,
        currency: begun.price.currency,
        sum: amounts,
        tax,
        coupon: terms.entered.map(|entered| entered.coupon.id),
        return_url: terms.return_url,
        billed_to: terms.billed_to,
        has_checkout: stored.is_none(),
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
    };
    let items = query::insert_items(tx, vec![item]).await?;
    outbox::record(tx, &app.clock, &OrderPlaced { order: order.id, buyer }).await?;
    if amounts.total == 0 {
        let (courses, gifts) = Default::default();
        let held = Held { order, items, courses, gifts, people: [buyer].into() };
        return Ok((fulfil(tx, app, &held, None).await?, None));
    }
    let chosen = stored.map(|(provider, _)| provider).or(terms.provider);
    let charged_to = stored.map(|(_, authorization)| authorization);
    let payment = insert_payment(tx, app, &order, chosen, charged_to).await?;
    Ok((order, Some(payment)))
}
