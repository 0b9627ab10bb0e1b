//! Places orders.

use chrono::{DateTime, Utc};
use url::Url;

use super::coupon::{self, Entered};
use super::hold::{self, Held};
use super::pay::fulfil;
use super::price::{check_billing, check_items, costs, priced, sum};
use super::{checkout, membership, pay};
use crate::accounts::{self, UserId, viewer};
use crate::catalog::{Course, CourseId};
use crate::config::payments::TaxRate;
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::idempotency::{Turn, gone};
use crate::graphql::loaders::Loaders;
use crate::graphql::money::Money;
use crate::graphql::{Error, Result};
use crate::orders::error;
use crate::orders::event::OrderPlaced;
use crate::orders::model::{
    Amounts, CreateOrderInput, NewItem, NewOrder, NewPayment, Order, OrderId, OrderItemId, OrderItemInput,
    OrderItemKind, OrderStatus, Payment, PaymentState,
};
use crate::orders::query::{order as query, payment};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::outbox;

const LONGEST_URL: usize = 2000;
/// The maximum number of orders of a user that wait for their payment.
pub(super) const MOST_PENDING: usize = 20;

/// Places an order, and opens its checkout. An order that costs nothing is paid at once.
///
/// If the provider does not answer, the order has no checkout yet; a job opens it.
///
/// # Errors
/// The input is invalid; something is not for sale, or the buyer has it; the total is another one than the
/// buyer was shown.
pub(in crate::orders) async fn create_order(
    loaders: &Loaders,
    actor: &Actor,
    input: CreateOrderInput,
) -> Result<Order> {
    if let [OrderItemInput::PlanPriceId(price)] = *input.items {
        return membership::order(loaders, actor, &input, price).await;
    }
    let (app, buyer) = (loaders.app(), viewer(actor)?);
    let mut check = Check::new();
    let courses = check_items(&mut check, &input.items);
    check_billing(&mut check, &input.billing);
    let expected = input.expected_total.minor(&mut check, "expectedTotal");
    let return_url = check_return_url(&mut check, app, input.return_url.as_deref());
    check.finish()?;
    let entered = match &input.coupon_code {
        Some(code) => Some(coupon::entered(loaders, code, &courses, input.billing.currency).await?),
        None => None,
    };
    let tax = app.config.payments.taxes.get(&input.billing.country).copied();
    let wanted = Wanted { buyer, input: &input, courses, expected, return_url, entered, tax };
    let (order, payment) = app.db.transaction(async |tx| place(tx, app, &wanted).await).await?;
    open_checkout(app, &order, payment.as_ref()).await;
    Ok(order)
}

/// Opens the checkout of an order that is placed, or charges it. If this fails, the job that asks about open payments
/// does it.
pub(super) async fn open_checkout(app: &App, order: &Order, payment: Option<&Payment>) {
    let Some(payment) = payment else { return };
    if let Err(error) = checkout::open(app, order, payment).await {
        tracing::warn!(%error, order = order.number, "a checkout could not be opened yet");
    }
}

/// What is ordered, checked as far as that is possible without locks.
struct Wanted<'a> {
    buyer: UserId,
    input: &'a CreateOrderInput,
    courses: Vec<CourseId>,
    /// The total that the buyer was shown, in minor units.
    expected: i64,
    return_url: Option<String>,
    entered: Option<Entered>,
    tax: Option<TaxRate>,
}

/// Places an order; returns it with its payment, unless it costs nothing or was placed by an earlier request.
async fn place(tx: &mut Tx, app: &App, wanted: &Wanted<'_>) -> Result<(Order, Option<Payment>)> {
    let (buyer, input) = (wanted.buyer, wanted.input);
    let claimed = match input.once.claim::<Order>(tx, app, buyer.uuid(), "createOrder", input).await? {
        Turn::Create(claimed) => claimed,
        Turn::Repeat(id) => return Ok((query::by_id(tx.conn(), id).await?.ok_or_else(gone)?, None)),
    };
    let held = hold::courses(tx, wanted.courses.iter().copied()).await?;
    if !accounts::lock_user(tx, buyer).await? {
        return Err(Error::Unauthenticated("Sign in first.".into()));
    }
    let currency = input.billing.currency;
    let courses: Vec<Option<Ref<'_>>> = wanted.courses.iter().map(|id| held.get(id).map(Ref)).collect();
    let courses = priced(courses, currency)?;
    let costs = costs(&courses, wanted.entered.as_ref(), wanted.tax);
    let total = sum(&costs).total;
    if (total, currency) != (wanted.expected, input.expected_total.currency) {
        return Err(error::another_total(Money::new(total, currency)));
    }
    refuse_owned(tx, app, buyer, &wanted.courses).await?;
    if query::pending_of(tx.conn(), buyer).await?.len() >= MOST_PENDING {
        return Err(error::too_many_pending());
    }
    if let Some(entered) = &wanted.entered {
        coupon::hold(tx, app, entered.coupon.id, buyer, currency).await?;
    }
    let items: Vec<(&Course, Amounts)> = courses.iter().map(|Ref(course)| *course).zip(costs).collect();
    let (order, payment) = insert(tx, app, wanted, &items).await?;
    claimed.keep(tx, order.id.uuid()).await?;
    outbox::record(tx, &app.clock, &OrderPlaced { order: order.id, buyer }).await?;
    if payment.is_some() {
        return Ok((order, payment));
    }
    let items = query::items_of(tx.conn(), &[order.id]).await?;
    let held = Held { order, items, courses: held, has_buyer: true };
    Ok((fulfil(tx, app, &held, None).await?, None))
}

/// A course that is locked.
struct Ref<'a>(&'a Course);

impl AsRef<Course> for Ref<'_> {
    fn as_ref(&self) -> &Course {
        self.0
    }
}

async fn insert(
    tx: &mut Tx,
    app: &App,
    wanted: &Wanted<'_>,
    items: &[(&Course, Amounts)],
) -> Result<(Order, Option<Payment>)> {
    let (now, settings, billing) = (app.clock.now(), &app.config.payments, &wanted.input.billing);
    let amounts: Vec<Amounts> = items.iter().map(|(_, amounts)| *amounts).collect();
    let sum = sum(&amounts);
    let remind_at = reminder(app, sum.total);
    let row = NewOrder {
        id: OrderId::new(app.clock.uuid()),
        buyer_id: wanted.buyer,
        status: OrderStatus::Pending,
        country: &billing.country,
        currency: billing.currency,
        total_minor: sum.total,
        return_url: wanted.return_url.as_deref(),
        created_at: now,
        updated_at: now,
        expires_at: Some(now + settings.order_lifetime),
        remind_at,
        coupon_id: wanted.entered.as_ref().map(|entered| entered.coupon.id),
        discount_minor: sum.discount,
        tax_minor: sum.tax,
        tax_included: wanted.tax.is_none_or(|tax| tax.included),
    };
    let order = query::insert(tx, &row).await?;
    let item = |(position, (course, amounts)): (i16, &(&Course, Amounts))| NewItem {
        id: OrderItemId::new(app.clock.uuid()),
        order_id: order.id,
        buyer_id: wanted.buyer,
        position,
        kind: OrderItemKind::Course,
        title: course.title.clone(),
        course_id: Some(course.id),
        amount_minor: amounts.total,
        is_live: true,
        discount_minor: amounts.discount,
        tax_minor: amounts.tax,
        membership_id: None,
        membership_period_id: None,
    };
    query::insert_items(tx, (0..).zip(items).map(item).collect()).await?;
    if sum.total == 0 {
        return Ok((order, None));
    }
    let (provider, account) = app.payments.of_new_orders().ok_or_else(error::no_payments)?;
    let row = NewPayment {
        id: app.clock.uuid(),
        order_id: order.id,
        provider,
        account,
        state: PaymentState::Creating,
        amount_minor: sum.total,
        currency: order.currency,
        created_at: now,
        updated_at: now,
        check_at: Some(first_check(now)),
        authorization_id: None,
    };
    Ok((order, Some(payment::insert(tx, &row).await?)))
}

/// When the buyer of an order that is placed now is reminded.
pub(super) fn reminder(app: &App, total: i64) -> Option<DateTime<Utc>> {
    app.config.payments.reminder.map(|after| app.clock.now() + after).filter(|_| total > 0)
}

/// When the job looks whether the checkout was opened.
pub(super) fn first_check(now: DateTime<Utc>) -> DateTime<Utc> {
    now + chrono::TimeDelta::minutes(1)
}

/// Refuses courses that the buyer has, or that are in another order of theirs. The buyer must be locked.
async fn refuse_owned(tx: &mut Tx, app: &App, buyer: UserId, wanted: &[CourseId]) -> Result<()> {
    let place = |course: CourseId| wanted.iter().position(|id| *id == course).unwrap_or_default();
    if let Some((course, other)) = query::live_of(tx, buyer, wanted).await?.into_iter().next() {
        return Err(error::bought_already(&other, course.map(place).unwrap_or_default()));
    }
    for (place, course) in wanted.iter().enumerate() {
        if pay::is_owned(tx, app, buyer, *course).await? {
            return Err(error::owned_already(place));
        }
    }
    Ok(())
}

pub(super) fn check_return_url(check: &mut Check, app: &App, url: Option<&str>) -> Option<String> {
    let text = check.line("returnUrl", url?, LONGEST_URL);
    let allowed = |url: &Url| {
        let origin = url.origin().ascii_serialization();
        let own = Url::parse(&app.config.app_url).is_ok_and(|own| own.origin() == url.origin());
        ["http", "https"].contains(&url.scheme()) && (own || app.config.allows_origin(&origin))
    };
    match Url::parse(&text) {
        Ok(url) if allowed(&url) => Some(url.into()),
        Ok(_) => {
            let message = "The checkout leads back only to pages of this school.";
            check.error(UserErrorCode::NotAllowed, "returnUrl", message);
            None
        }
        Err(_) => {
            check.malformed("returnUrl", &text, "is not a URL");
            None
        }
    }
}
