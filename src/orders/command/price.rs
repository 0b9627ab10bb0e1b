//! Prices of what is ordered.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::coupon::{self, Entered};
use super::membership;
use crate::accounts::viewer;
use crate::catalog::{Course, CourseById, CourseId};
use crate::config::payments::TaxRate;
use crate::graphql::Result;
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::loaders::Loaders;
use crate::graphql::money::CurrencyCode;
use crate::memberships::{Plan, PlanPrice};
use crate::orders::error;
use crate::orders::model::{Amounts, BillingInput, OrderItemInput, QuoteOrderInput, amounts};
use crate::orders::query::coupon as query;
use crate::platform::auth::Actor;

/// The maximum number of items of an order.
const MOST_ITEMS: usize = 20;

/// What an order would cost, in minor units.
pub(in crate::orders) struct Quote {
    /// What would be bought, in the order of the input.
    pub(in crate::orders) items: Vec<QuoteItem>,
    /// The currency.
    pub(in crate::orders) currency: CurrencyCode,
    /// The sums.
    pub(in crate::orders) sum: Amounts,
    /// Whether the tax is in the prices already.
    pub(in crate::orders) tax_included: bool,
}

/// An item of a quote.
#[derive(Clone)]
pub(in crate::orders) struct QuoteItem {
    /// What it is.
    pub(in crate::orders) good: Good,
    /// Its price before the coupon, in minor units.
    pub(in crate::orders) price_minor: i64,
    /// What is paid.
    pub(in crate::orders) amounts: Amounts,
}

/// What can be bought.
#[derive(Clone)]
pub(in crate::orders) enum Good {
    /// A course.
    Course(Arc<Course>),
    /// A membership of a plan at a price.
    Membership(Arc<Plan>, Arc<PlanPrice>),
}

/// Returns what an order would cost.
///
/// # Errors
/// The input is invalid; there is no such course, or it has no price in the currency; the coupon is not valid.
pub(in crate::orders) async fn quote_order(loaders: &Loaders, actor: &Actor, input: QuoteOrderInput) -> Result<Quote> {
    if let [OrderItemInput::PlanPriceId(price)] = *input.items {
        return membership::quote(loaders, actor, &input, price).await;
    }
    let (app, buyer) = (loaders.app(), viewer(actor)?);
    let mut check = Check::new();
    let wanted = check_items(&mut check, &input.items);
    check_billing(&mut check, &input.billing);
    check.finish()?;
    let mut courses = HashMap::new();
    for id in &wanted {
        if let Some(course) = loaders.load(CourseById(*id)).await? {
            courses.insert(*id, course);
        }
    }
    let currency = input.billing.currency;
    let courses = priced(wanted.iter().map(|id| courses.get(id).cloned()).collect(), currency)?;
    let entered = match &input.coupon_code {
        Some(code) => Some(coupon::entered(loaders, code, &wanted, currency).await?),
        None => None,
    };
    if let Some(Entered { coupon, .. }) = &entered {
        let uses = query::uses(&mut *app.db.read().await?, coupon.id, buyer).await?;
        coupon::check_uses(coupon, uses)?;
    }
    let tax = app.config.payments.taxes.get(&input.billing.country).copied();
    let amounts = costs(&courses, entered.as_ref(), tax);
    let sum = sum(&amounts);
    let tax_included = tax.is_none_or(|tax| tax.included);
    let item = |(course, amounts): (Arc<Course>, Amounts)| QuoteItem {
        price_minor: course.price_minor,
        good: Good::Course(course),
        amounts,
    };
    Ok(Quote { items: courses.into_iter().zip(amounts).map(item).collect(), currency, sum, tax_included })
}

/// Returns what courses cost with a coupon and a tax.
pub(super) fn costs<C: AsRef<Course>>(courses: &[C], entered: Option<&Entered>, tax: Option<TaxRate>) -> Vec<Amounts> {
    let item = |course: &C| {
        let course = course.as_ref();
        (course.price_minor, entered.is_some_and(|entered| entered.is_for(course.id)))
    };
    let items: Vec<(i64, bool)> = courses.iter().map(item).collect();
    amounts(&items, entered.map(|entered| entered.coupon.discount()), tax)
}

/// Returns the sums of amounts.
pub(super) fn sum(amounts: &[Amounts]) -> Amounts {
    amounts.iter().fold(Amounts::default(), |sum, item| Amounts {
        discount: sum.discount + item.discount,
        tax: sum.tax + item.tax,
        total: sum.total + item.total,
    })
}

/// Returns the courses if all are for sale in the currency; a missing one is `None`.
///
/// # Errors
/// One is not for sale.
pub(super) fn priced<C: AsRef<Course>>(courses: Vec<Option<C>>, currency: CurrencyCode) -> Result<Vec<C>> {
    let mut check = Check::new();
    let mut found = Vec::new();
    for (place, course) in courses.into_iter().enumerate() {
        // Drafts are not visible to students, and archived courses are closed for enrollment.
        let Some(course) = course.filter(|course| course.as_ref().published_at.is_some()) else {
            return Err(error::no_such_course(place));
        };
        let own = course.as_ref().currency;
        if own != currency && course.as_ref().price_minor > 0 {
            check.part(&["billing"], |check| {
                let message = format!("“{}” is sold in {}.", course.as_ref().title, own.code());
                check.error(UserErrorCode::NotAllowed, "currency", message);
            });
        }
        found.push(course);
    }
    check.finish()?;
    Ok(found)
}

/// Checks the items; returns their courses.
pub(super) fn check_items(check: &mut Check, items: &[OrderItemInput]) -> Vec<CourseId> {
    if items.is_empty() || items.len() > MOST_ITEMS {
        let message = format!("An order has 1 to {MOST_ITEMS} items; this one has {}.", items.len());
        check.error(UserErrorCode::OutOfRange, "items", message);
        return Vec::new();
    }
    let mut seen = HashSet::new();
    let mut courses = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let OrderItemInput::CourseId(id) = item else {
            check.part(&["items", &place.to_string()], |check| {
                let message = "A membership is ordered by itself.";
                check.error(UserErrorCode::NotAllowed, "planPriceId", message);
            });
            continue;
        };
        courses.push(*id);
        if !seen.insert(*id) {
            let again = |check: &mut Check| {
                check.error(UserErrorCode::Taken, "courseId", "This course is in the order already.");
            };
            check.part(&["items", &place.to_string()], again);
        }
    }
    courses
}

/// Checks where the buyer is.
pub(super) fn check_billing(check: &mut Check, billing: &BillingInput) {
    let country = &billing.country;
    if country.len() != 2 || !country.bytes().all(|letter| letter.is_ascii_uppercase()) {
        check.part(&["billing"], |check| {
            check.malformed("country", country, "is not a country; write two capital letters of ISO 3166, such as DE");
        });
    }
}
