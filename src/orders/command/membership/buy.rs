//! Buys a membership.

use super::place::{Terms, place, priced};
use crate::accounts::{self, UserId, viewer};
use crate::graphql::error::Check;
use crate::graphql::idempotency::{Turn, gone};
use crate::graphql::loaders::Loaders;
use crate::graphql::money::{CurrencyCode, Money};
use crate::graphql::{Error, Result, UserError};
use crate::memberships::{self, Offer, PeriodReason, PlanPrice, PlanPriceId};
use crate::orders::command::choice::{BilledTo, check_billing};
use crate::orders::command::coupon::{self, Entered};
use crate::orders::command::create::{MOST_PENDING, check_return_url, open_checkout};
use crate::orders::command::price::{Line, Quote};
use crate::orders::command::tax::{Calculations, Taxed};
use crate::orders::error;
use crate::orders::model::{BillingInput, CreateOrderInput, Order, OrderItemKind, Payment, QuoteOrderInput};
use crate::orders::query::{coupon as coupons, order as query};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::payments::Provider;

/// Returns what a membership would cost first.
pub(in crate::command) async fn quote(
    loaders: &Loaders,
    actor: &Actor,
    input: &QuoteOrderInput,
    price: PlanPriceId,
) -> Result<Quote> {
    let (app, buyer, billing) = (loaders.app(), viewer(actor)?, &input.billing);
    let mut check = Check::new();
    let billed_to = check_billing(&mut check, billing);
    check.finish()?;
    let entered = entered(loaders, input.coupon_code.as_deref(), price, billing.currency).await?;
    if let Some(Entered { coupon, .. }) = &entered {
        let uses = coupons::uses(&mut *app.db.read().await?, coupon.id, buyer).await?;
        coupon::check_uses(coupon, uses)?;
    }
    let offer = offer_of(buyer, billing, price, app.payments.first());
    let terms = app.db.transaction(async |tx| memberships::terms(tx, offer).await).await?;
    check_currency(&terms.price, billing.currency)?;
    if entered.is_some() {
        check_first(terms.is_first, terms.charged_minor)?;
    }
    let (country, currency) = (&billing.country, billing.currency);
    let taxed = Taxed { country, tax_id: billed_to.tax_id.as_deref(), currency };
    let (price_minor, mut calculations) = (terms.charged_minor, Calculations::default());
    let (sum, tax) = loop {
        let priced = priced(app, &calculations, taxed, price_minor, entered.as_ref());
        if let Some(priced) = calculations.after(app, priced).await? {
            break priced;
        }
    };
    let plan = Some((terms.plan.into(), terms.price.into()));
    let line = Line { plan, price_minor, ..Line::new(OrderItemKind::Membership) };
    Ok(Quote { items: vec![(line, sum)], currency, sum, tax_included: tax.is_included })
}

/// Orders a membership, and opens its checkout. A trial costs nothing, and begins at once.
pub(in crate::command) async fn order(
    loaders: &Loaders,
    actor: &Actor,
    input: &CreateOrderInput,
    price: PlanPriceId,
) -> Result<Order> {
    let (app, buyer) = (loaders.app(), viewer(actor)?);
    let mut check = Check::new();
    let billed_to = check_billing(&mut check, &input.billing);
    let expected = input.expected_total.minor(&mut check, "expectedTotal");
    let return_url = check_return_url(&mut check, app, input.return_url.as_deref());
    check.finish()?;
    // A request that is sent again is answered although its coupon has ended meanwhile.
    let entered = match entered(loaders, input.coupon_code.as_deref(), price, input.billing.currency).await {
        Err(Error::Invalid(errors)) => Err(errors),
        other => Ok(other?),
    };
    let wanted = Wanted { buyer, input, price, expected, return_url, entered, billed_to };
    let mut calculations = Calculations::default();
    let (order, payment) = loop {
        let bought = app.db.transaction(async |tx| buy(tx, app, &wanted, &calculations).await).await;
        if let Some(bought) = calculations.after(app, bought).await? {
            break bought;
        }
    };
    Ok(open_checkout(app, order, payment.as_ref()).await?)
}

/// What is ordered.
struct Wanted<'a> {
    buyer: UserId,
    input: &'a CreateOrderInput,
    price: PlanPriceId,
    /// The total that the buyer was shown, in minor units.
    expected: i64,
    return_url: Option<String>,
    /// The coupon, or why there is none.
    entered: std::result::Result<Option<Entered>, Vec<UserError>>,
    billed_to: BilledTo,
}

async fn buy(
    tx: &mut Tx,
    app: &App,
    wanted: &Wanted<'_>,
    calculations: &Calculations,
) -> Result<(Order, Option<Payment>)> {
    let (buyer, input, billing) = (wanted.buyer, wanted.input, &wanted.input.billing);
    let claimed = match input.once.claim::<Order>(tx, app, buyer.uuid(), "createOrder", input).await? {
        Turn::Create(claimed) => claimed,
        Turn::Repeat(id) => return Ok((query::by_id(tx.conn(), id).await?.ok_or_else(gone)?, None)),
    };
    let entered = wanted.entered.as_ref().map_err(|errors| Error::Invalid(errors.clone()))?.as_ref();
    memberships::lock_target(tx, wanted.price).await?;
    if !accounts::lock_user(tx, buyer).await? {
        return Err(Error::Unauthenticated("Sign in first.".into()));
    }
    if query::pending_of(tx.conn(), buyer).await?.len() >= MOST_PENDING {
        return Err(error::too_many_pending());
    }
    if let Some(entered) = entered {
        coupon::hold(tx, app, entered.coupon.id, buyer, billing.currency).await?;
    }
    let provider = input.provider.or(app.payments.first());
    let mut begun = memberships::offer(tx, app, offer_of(buyer, billing, wanted.price, provider)).await?;
    check_currency(&begun.price, billing.currency)?;
    if entered.is_some() {
        check_first(begun.period.reason != PeriodReason::Renewal, begun.period.charged_minor())?;
    }
    // The buyer pays by themselves: what is stored may be what has failed.
    begun.membership.authorization_id = None;
    let terms = Terms {
        begun: &begun,
        country: &billing.country,
        entered,
        return_url: wanted.return_url.as_deref(),
        provider: input.provider,
        billed_to: Some(&wanted.billed_to),
    };
    let (order, payment) = place(tx, app, &terms, calculations).await?;
    if (order.total_minor, order.currency) != (wanted.expected, input.expected_total.currency) {
        return Err(error::another_total(Money::new(order.total_minor, order.currency)));
    }
    claimed.keep(tx, order.id.uuid()).await?;
    Ok((order, payment))
}

fn offer_of(user: UserId, billing: &BillingInput, price: PlanPriceId, provider: Option<Provider>) -> Offer<'_> {
    Offer { user, price, country: &billing.country, provider }
}

/// Finds the coupon that a buyer has entered for a price.
async fn entered(
    loaders: &Loaders,
    code: Option<&str>,
    price: PlanPriceId,
    currency: CurrencyCode,
) -> Result<Option<Entered>> {
    match code {
        Some(code) => coupon::entered_for_plan(loaders, code, price, currency).await.map(Some),
        None => Ok(None),
    }
}

/// Checks that a coupon is for a first period that costs something: a trial would use it up for nothing.
fn check_first(is_first: bool, charged_minor: i64) -> Result<()> {
    match (is_first, charged_minor) {
        (false, _) => Err(error::bad_coupon("A coupon is for the first period of a membership.")),
        (true, 0) => Err(error::bad_coupon("The first period costs nothing; order it without a coupon.")),
        (true, _) => Ok(()),
    }
}

fn check_currency(price: &PlanPrice, currency: CurrencyCode) -> Result<()> {
    if price.currency == currency { Ok(()) } else { Err(error::another_currency(price.currency)) }
}
