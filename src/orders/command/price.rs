//! Prices of what is ordered.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::{try_join, try_join_all};

use super::choice::{Chosen, check_billing, check_items};
use super::coupon::{self, Entered};
use super::tax::{Calculations, OrderTax, Taxed};
use super::{hours, membership};
use crate::accounts::viewer;
use crate::catalog::{Course, CourseById, CourseId, PricesOf};
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::loaders::Loaders;
use crate::graphql::money::CurrencyCode;
use crate::graphql::{Result, YearMonth};
use crate::memberships::{Plan, PlanPrice};
use crate::orders::error;
use crate::orders::model::{Amounts, OrderItemInput, OrderItemKind, Priced, QuoteOrderInput};
use crate::orders::query::coupon as query;
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::internal_error::InternalError;

/// Something that is ordered, with its price in the currency of the order, in minor units.
#[derive(Clone)]
pub struct Line {
    /// What it is.
    pub kind: OrderItemKind,
    /// The course; `None` of a donation, a membership and extra hours.
    pub course: Option<Arc<Course>>,
    /// The plan of a membership, with its price.
    pub plan: Option<(Arc<Plan>, Arc<PlanPrice>)>,
    /// How many extra hours, and for which month.
    pub(crate) hours: Option<(i32, YearMonth)>,
    /// What it costs without discount; without the tax if that is added.
    pub price_minor: i64,
}

impl Line {
    /// A line of a kind, of which nothing else is known yet.
    pub(super) fn new(kind: OrderItemKind) -> Line {
        Line { kind, course: None, plan: None, hours: None, price_minor: 0 }
    }

    /// What it is called.
    pub fn title(&self) -> String {
        let course = self.course.as_ref().map(|course| course.title.as_str()).unwrap_or_default();
        match self.kind {
            OrderItemKind::Course => course.to_owned(),
            OrderItemKind::Gift => format!("Gift: {course}"),
            OrderItemKind::Donation => "Donation".to_owned(),
            OrderItemKind::Membership => self.plan.as_ref().map(|(plan, _)| plan.name.clone()).unwrap_or_default(),
            OrderItemKind::ExtraHours => self.hours.map(hours_title).unwrap_or_default(),
        }
    }
}

fn hours_title((hours, month): (i32, YearMonth)) -> String {
    let unit = if hours == 1 { "hour" } else { "hours" };
    format!("{hours} extra {unit} of live classes in {month}")
}

/// What an order would cost, in minor units.
pub struct Quote {
    /// What is ordered, with its amounts, in the order of the input.
    pub items: Vec<(Line, Amounts)>,
    /// The currency.
    pub currency: CurrencyCode,
    /// The sums.
    pub sum: Amounts,
    /// Whether the tax is in the prices already.
    pub tax_included: bool,
}

/// Returns what an order would cost.
///
/// # Errors
/// The input is invalid; there is no such course, or it has no price in the currency; the coupon is not valid.
pub async fn quote_order(loaders: &Loaders, actor: &Actor, input: QuoteOrderInput) -> Result<Quote> {
    if let [OrderItemInput::PlanPriceId(price)] = *input.items {
        return membership::quote(loaders, actor, &input, price).await;
    }
    let (app, buyer) = (loaders.app(), viewer(actor)?);
    let currency = input.billing.currency;
    let mut check = Check::new();
    let time = (app.clock.now(), app.config.time_zone);
    let chosen = check_items(&mut check, &input.items, currency, time);
    let billed_to = check_billing(&mut check, &input.billing);
    check.finish()?;
    let wanted: Vec<CourseId> = chosen.iter().filter_map(Chosen::course).collect();
    let found = wanted.iter().map(|id| async {
        let (course, prices) = try_join(loaders.load(CourseById(*id)), loaders.load(PricesOf(*id))).await?;
        let price = prices.unwrap_or_default().iter().find(|(own, _)| *own == currency).map(|(_, price)| *price);
        Ok::<_, InternalError>((*id, course, price))
    });
    let (mut courses, mut others) = (HashMap::new(), HashMap::new());
    for (id, course, price) in try_join_all(found).await? {
        courses.extend(course.map(|course| (id, course)));
        others.extend(price.map(|price| (id, price)));
    }
    let extra = if chosen.iter().any(Chosen::is_extra_hours) {
        app.db.transaction(async |tx| hours::line(tx, app, buyer, &chosen, currency).await).await?
    } else {
        None
    };
    let lines = lines(&chosen, (&courses, &others), extra.as_ref(), currency)?;
    let entered = match &input.coupon_code {
        Some(code) => Some(coupon::entered(loaders, code, (wanted.as_slice(), extra.is_some()), currency).await?),
        None => None,
    };
    if let Some(Entered { coupon, .. }) = &entered {
        let uses = query::uses(&mut *app.db.read().await?, coupon.id, buyer).await?;
        coupon::check_uses(coupon, uses)?;
    }
    let taxed = Taxed { country: &input.billing.country, tax_id: billed_to.tax_id.as_deref(), currency };
    let mut calculations = Calculations::default();
    let (amounts, tax) = loop {
        let priced = costs(app, &calculations, taxed, &lines, entered.as_ref());
        if let Some(priced) = calculations.after(app, priced).await? {
            break priced;
        }
    };
    let sum = sum(&amounts);
    let tax_included = tax.is_included;
    Ok(Quote { items: lines.into_iter().zip(amounts).collect(), currency, sum, tax_included })
}

/// Returns what lines cost with a coupon and the tax.
///
/// # Errors
/// The tax is to be calculated first ([`Calculations::price`]).
pub(super) fn costs(
    app: &App,
    calculations: &Calculations,
    buyer: Taxed<'_>,
    lines: &[Line],
    entered: Option<&Entered>,
) -> Result<(Vec<Amounts>, OrderTax)> {
    let item = |line: &Line| Priced {
        price: line.price_minor,
        is_discounted: entered.is_some_and(|entered| is_for(entered, line)),
        is_taxed: line.kind != OrderItemKind::Donation,
    };
    let items: Vec<Priced> = lines.iter().map(item).collect();
    calculations.price(app, buyer, &items, entered.map(|entered| entered.coupon.discount()))
}

/// Whether a coupon is for something. Donations are never discounted.
fn is_for(entered: &Entered, line: &Line) -> bool {
    match &line.course {
        Some(course) => entered.is_for(course.id),
        None => line.kind == OrderItemKind::ExtraHours && entered.is_for_all,
    }
}

/// Returns the sums of amounts.
pub(super) fn sum(amounts: &[Amounts]) -> Amounts {
    amounts.iter().fold(Amounts::default(), |sum, item| Amounts {
        discount: sum.discount + item.discount,
        tax: sum.tax + item.tax,
        total: sum.total + item.total,
    })
}

/// Returns what is ordered with its prices. `others` has the prices of courses whose default one is in another
/// currency, and `extra` is the line of extra hours, if there are some.
///
/// # Errors
/// Something is not for sale, or not in this currency.
pub(super) fn lines(
    chosen: &[Chosen],
    (courses, others): (&HashMap<CourseId, Arc<Course>>, &HashMap<CourseId, i64>),
    extra: Option<&Line>,
    currency: CurrencyCode,
) -> Result<Vec<Line>> {
    let mut check = Check::new();
    let mut lines = Vec::new();
    for (place, one) in chosen.iter().enumerate() {
        let place = place.to_string();
        let (kind, id) = match one {
            Chosen::Course(id) => (OrderItemKind::Course, *id),
            Chosen::Gift(gift) => (OrderItemKind::Gift, gift.course),
            Chosen::Donation { minor, .. } => {
                lines.push(Line { price_minor: *minor, ..Line::new(OrderItemKind::Donation) });
                continue;
            }
            Chosen::ExtraHours { .. } => {
                lines.extend(extra.cloned());
                continue;
            }
        };
        // Drafts are not visible to students, and archived courses are closed for enrollment.
        let course = courses.get(&id).filter(|course| course.published_at.is_some());
        let Some(course) = course else { return Err(error::no_such_course(&one.path(&place))) };
        if kind == OrderItemKind::Gift && course.price_minor == 0 {
            return Err(error::free_gift(&one.path(&place)));
        }
        let price = price_in(course, others, currency);
        if price.is_none() {
            check.part(&["billing"], |check| {
                let message = format!("“{}” is not sold in {}.", course.title, currency.code());
                check.error(UserErrorCode::NotAllowed, "currency", message);
            });
        }
        let (course, price_minor) = (Some(course.clone()), price.unwrap_or_default());
        lines.push(Line { course, price_minor, ..Line::new(kind) });
    }
    check.finish()?;
    Ok(lines)
}

/// The price of a course in a currency, in minor units. What is free is free in all.
fn price_in(course: &Course, others: &HashMap<CourseId, i64>, currency: CurrencyCode) -> Option<i64> {
    if course.currency == currency || course.price_minor == 0 {
        return Some(course.price_minor);
    }
    others.get(&course.id).copied()
}
