//! Places orders.

use std::collections::HashMap;
use std::sync::Arc;

use url::Url;

use super::choice::{BilledTo, Chosen, check_billing, check_items};
use super::coupon::{self, Entered};
use super::hold::{self, Held};
use super::insert::{Draft, Way, insert_order, insert_payment};
use super::pay::fulfil;
use super::price::{Line, costs, lines, sum};
use super::tax::{Calculations, Taxed};
use super::{checkout, donation, hours, membership, pay};
use crate::accounts::{self, UserId, viewer};
use crate::catalog::{self, Course, CourseId};
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::idempotency::{Turn, gone};
use crate::graphql::loaders::Loaders;
use crate::graphql::money::Money;
use crate::graphql::{Error, Result, UserError};
use crate::memberships::{self, NextCharge};
use crate::orders::error;
use crate::orders::event::OrderPlaced;
use crate::orders::model::{
    Amounts, CreateOrderInput, GiftId, NewGift, NewItem, Order, OrderItemId, OrderItemInput, OrderItemKind, Payment,
    gift_code,
};
use crate::orders::query::{gift, order as query};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
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
pub async fn create_order(loaders: &Loaders, actor: &Actor, input: CreateOrderInput) -> Result<Order> {
    if let [OrderItemInput::PlanPriceId(price)] = *input.items {
        return membership::order(loaders, actor, &input, price).await;
    }
    let (app, buyer) = (loaders.app(), viewer(actor)?);
    let mut check = Check::new();
    let time = (app.clock.now(), app.config.time_zone);
    let chosen = check_items(&mut check, &input.items, input.billing.currency, time);
    let billed_to = check_billing(&mut check, &input.billing);
    let expected = input.expected_total.minor(&mut check, "expectedTotal");
    let return_url = check_return_url(&mut check, app, input.return_url.as_deref());
    check.finish()?;
    let courses: Vec<CourseId> = chosen.iter().filter_map(Chosen::course).collect();
    let entered = match &input.coupon_code {
        Some(code) => {
            let has_hours = chosen.iter().any(Chosen::is_extra_hours);
            coupon::entered(loaders, code, (courses.as_slice(), has_hours), input.billing.currency).await.map(Some)
        }
        None => Ok(None),
    };
    // A request that is sent again is answered although its coupon has ended meanwhile.
    let entered = match entered {
        Err(Error::Invalid(errors)) => Err(errors),
        other => Ok(other?),
    };
    let wanted = Wanted { buyer, input: &input, billed_to, chosen, expected, return_url, entered };
    let mut calculations = Calculations::default();
    let (order, payment) = loop {
        let placed = app.db.transaction(async |tx| place(tx, app, &wanted, &calculations).await).await;
        if let Some(placed) = calculations.after(app, placed).await? {
            break placed;
        }
    };
    Ok(open_checkout(app, order, payment.as_ref()).await?)
}

/// Opens the checkout of an order that is placed, or charges it; returns it as it is then. If this fails, the job that
/// asks about open payments does it.
pub(super) async fn open_checkout(
    app: &App,
    order: Order,
    payment: Option<&Payment>,
) -> std::result::Result<Order, InternalError> {
    let Some(payment) = payment else { return Ok(order) };
    if let Err(error) = checkout::open(app, &order, payment).await {
        tracing::warn!(%error, order = order.number, "a checkout could not be opened yet");
    }
    Ok(query::by_id(&mut *app.db.read().await?, order.id).await?.unwrap_or(order))
}

/// What is ordered, checked as far as that is possible without locks.
struct Wanted<'a> {
    buyer: UserId,
    input: &'a CreateOrderInput,
    billed_to: BilledTo,
    chosen: Vec<Chosen>,
    /// The total that the buyer was shown, in minor units.
    expected: i64,
    return_url: Option<String>,
    /// The coupon, or why there is none.
    entered: std::result::Result<Option<Entered>, Vec<UserError>>,
}

/// Places an order; returns it with its payment, unless it costs nothing or was placed by an earlier request.
async fn place(
    tx: &mut Tx,
    app: &App,
    wanted: &Wanted<'_>,
    calculations: &Calculations,
) -> Result<(Order, Option<Payment>)> {
    let (buyer, input) = (wanted.buyer, wanted.input);
    let claimed = match input.once.claim::<Order>(tx, app, buyer.uuid(), "createOrder", input).await? {
        Turn::Create(claimed) => claimed,
        Turn::Repeat(id) => return Ok((query::by_id(tx.conn(), id).await?.ok_or_else(gone)?, None)),
    };
    let entered = wanted.entered.as_ref().map_err(|errors| Error::Invalid(errors.clone()))?.as_ref();
    let courses: Vec<CourseId> = wanted.chosen.iter().filter_map(Chosen::course).collect();
    let held = hold::courses(tx, courses.iter().copied()).await?;
    if !accounts::lock_user(tx, buyer).await? {
        return Err(Error::Unauthenticated("Sign in first.".into()));
    }
    let currency = input.billing.currency;
    let others = catalog::prices_in(tx, &courses, currency).await?;
    let shared: HashMap<CourseId, Arc<Course>> =
        held.iter().map(|(id, course)| (*id, Arc::new(course.clone()))).collect();
    let extra = hours::line(tx, app, buyer, &wanted.chosen, currency).await?;
    let lines = lines(&wanted.chosen, (&shared, &others), extra.as_ref(), currency)?;
    let taxed = Taxed { country: &input.billing.country, tax_id: wanted.billed_to.tax_id.as_deref(), currency };
    let (costs, tax) = costs(app, calculations, taxed, &lines, entered)?;
    let sum = sum(&costs);
    if (sum.total, currency) != (wanted.expected, input.expected_total.currency) {
        return Err(error::another_total(Money::new(sum.total, currency)));
    }
    refuse_owned(tx, app, buyer, &wanted.chosen).await?;
    if query::pending_of(tx.conn(), buyer).await?.len() >= MOST_PENDING {
        return Err(error::too_many_pending());
    }
    if let Some(entered) = entered {
        coupon::hold(tx, app, entered.coupon.id, buyer, currency).await?;
    }
    let items: Vec<(Line, Amounts)> = lines.into_iter().zip(costs).collect();
    let draft = Draft {
        buyer,
        country: &input.billing.country,
        currency,
        sum,
        tax: &tax,
        coupon: entered.map(|entered| entered.coupon.id),
        return_url: wanted.return_url.as_deref(),
        billed_to: Some(&wanted.billed_to),
        has_checkout: true,
    };
    let order = insert_order(tx, app, &draft).await?;
    insert_items(tx, app, wanted, &order, &items).await?;
    for chosen in &wanted.chosen {
        if let Chosen::Donation { minor, is_monthly: true } = chosen {
            donation::begin(tx, app, &order, *minor).await?;
        }
    }
    claimed.keep(tx, order.id.uuid()).await?;
    outbox::record(tx, &app.clock, &OrderPlaced { order: order.id, buyer }).await?;
    if sum.total > 0 {
        let payment = insert_payment(tx, app, &order, input.provider, Way::Page(None)).await?;
        return Ok((order, Some(payment)));
    }
    let items = query::items_of(tx.conn(), &[order.id]).await?;
    let gifts = gift::of_orders(tx.conn(), &[order.id]).await?;
    let held = Held { order, items, courses: held, gifts, people: [buyer].into() };
    Ok((fulfil(tx, app, &held, &NextCharge::Stored).await?, None))
}

/// Inserts the items of an order, and the gifts and extra hours among them.
async fn insert_items(
    tx: &mut Tx,
    app: &App,
    wanted: &Wanted<'_>,
    order: &Order,
    items: &[(Line, Amounts)],
) -> Result<()> {
    let extra = wanted.chosen.iter().find_map(|chosen| hours::wanted(chosen, wanted.buyer));
    let extra = match extra {
        Some(hours) => Some(memberships::reserve_hours(tx, app, hours).await?),
        None => None,
    };
    let item = |(position, (line, amounts)): (i16, &(Line, Amounts))| NewItem {
        id: OrderItemId::new(app.clock.uuid()),
        order_id: order.id,
        buyer_id: wanted.buyer,
        position,
        kind: line.kind,
        title: line.title(),
        course_id: line.course.as_ref().map(|course| course.id),
        amount_minor: amounts.total,
        is_live: true,
        discount_minor: amounts.discount,
        tax_minor: amounts.tax,
        membership_id: None,
        membership_period_id: None,
        extra_hours_id: extra.filter(|_| line.kind == OrderItemKind::ExtraHours),
    };
    let new: Vec<NewItem> = (0..).zip(items).map(item).collect();
    let gifts = new.iter().zip(&wanted.chosen).filter_map(|(item, chosen)| match chosen {
        Chosen::Gift(gift) => Some(NewGift {
            id: GiftId::new(app.clock.uuid()),
            item_id: item.id,
            order_id: order.id,
            code: gift_code(rand::random()),
            recipient_email: &gift.recipient_email,
            message: &gift.message,
            send_at: gift.send_at,
        }),
        Chosen::Course(_) | Chosen::Donation { .. } | Chosen::ExtraHours { .. } => None,
    });
    let gifts: Vec<NewGift<'_>> = gifts.collect();
    query::insert_items(tx, new).await?;
    gift::insert(tx, gifts).await?;
    Ok(())
}

/// Refuses courses that the buyer has, or that are in another order of theirs. The buyer must be locked.
async fn refuse_owned(tx: &mut Tx, app: &App, buyer: UserId, chosen: &[Chosen]) -> Result<()> {
    let own = chosen.iter().enumerate().filter_map(|(place, chosen)| match chosen {
        Chosen::Course(id) => Some((place.to_string(), *id)),
        Chosen::Gift(_) | Chosen::Donation { .. } | Chosen::ExtraHours { .. } => None,
    });
    let own: Vec<(String, CourseId)> = own.collect();
    let ids: Vec<CourseId> = own.iter().map(|(_, id)| *id).collect();
    let live = query::live_of(tx, buyer, &ids).await?;
    for (place, id) in &own {
        let path = ["items", place.as_str(), "courseId"];
        if let Some((_, other)) = live.iter().find(|(course, _)| *course == Some(*id)) {
            return Err(error::bought_already(other, &path));
        }
    }
    for (place, id) in &own {
        if pay::is_owned(tx, app, buyer, *id).await? {
            return Err(error::owned_already(&["items", place, "courseId"]));
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
