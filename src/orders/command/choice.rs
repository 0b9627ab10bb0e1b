//! What a buyer has chosen, checked as far as the input allows.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::gift::latest_sending;
use crate::accounts;
use crate::catalog::CourseId;
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::money::{CurrencyCode, MoneyInput};
use crate::graphql::{Time, YearMonth};
use crate::orders::model::{BillingInput, ExtraHoursInput, GiftInput, OrderItemInput};

/// The maximum number of items of an order.
const MOST_ITEMS: usize = 20;
const LONGEST_MESSAGE: usize = 1000;
const LONGEST_NAME: usize = 200;
const LONGEST_ADDRESS: usize = 500;
const LONGEST_TAX_ID: usize = 50;

/// Something that a buyer has chosen.
pub(super) enum Chosen {
    Course(CourseId),
    Gift(ChosenGift),
    Donation {
        /// The amount in minor units of the order's currency.
        minor: i64,
        /// Whether it is repeated each month.
        is_monthly: bool,
    },
    /// Extra hours of live classes for a month.
    ExtraHours {
        hours: i32,
        month: YearMonth,
    },
}

/// A gift that a buyer has chosen.
pub(super) struct ChosenGift {
    pub(super) course: CourseId,
    pub(super) recipient_email: String,
    pub(super) message: String,
    pub(super) send_at: Option<DateTime<Utc>>,
}

impl Chosen {
    /// The course; `None` of donations and extra hours.
    pub(super) fn course(&self) -> Option<CourseId> {
        match self {
            Chosen::Course(id) => Some(*id),
            Chosen::Gift(gift) => Some(gift.course),
            Chosen::Donation { .. } | Chosen::ExtraHours { .. } => None,
        }
    }

    /// Whether it is extra hours.
    pub(super) fn is_extra_hours(&self) -> bool {
        matches!(self, Chosen::ExtraHours { .. })
    }

    /// Where the course is in the input.
    pub(super) fn path<'a>(&self, place: &'a str) -> Vec<&'a str> {
        match self {
            Chosen::Course(_) => vec!["items", place, "courseId"],
            Chosen::Gift(_) => vec!["items", place, "gift", "courseId"],
            Chosen::Donation { is_monthly: false, .. } => vec!["items", place, "donation"],
            Chosen::Donation { is_monthly: true, .. } => vec!["items", place, "monthlyDonation"],
            Chosen::ExtraHours { .. } => vec!["items", place, "extraHours"],
        }
    }
}

/// Checks the items of an order.
pub(super) fn check_items(
    check: &mut Check,
    items: &[OrderItemInput],
    currency: CurrencyCode,
    (now, zone): (DateTime<Utc>, Tz),
) -> Vec<Chosen> {
    if items.is_empty() || items.len() > MOST_ITEMS {
        let message = format!("An order has 1 to {MOST_ITEMS} items; this one has {}.", items.len());
        check.error(UserErrorCode::OutOfRange, "items", message);
        return Vec::new();
    }
    let (mut seen, mut donations, mut extras, mut chosen) = (HashSet::new(), 0, 0, Vec::new());
    for (place, item) in items.iter().enumerate() {
        chosen.extend(check.part(&["items", &place.to_string()], |check| match item {
            OrderItemInput::CourseId(id) => {
                if !seen.insert(*id) {
                    check.error(UserErrorCode::Taken, "courseId", "This course is in the order already.");
                }
                Some(Chosen::Course(*id))
            }
            OrderItemInput::Gift(gift) => {
                Some(Chosen::Gift(check.part(&["gift"], |check| check_gift(check, gift, now))))
            }
            OrderItemInput::Donation(amount) | OrderItemInput::MonthlyDonation(amount) => {
                donations += 1;
                let is_monthly = matches!(item, OrderItemInput::MonthlyDonation(_));
                let field = if is_monthly { "monthlyDonation" } else { "donation" };
                if donations > 1 {
                    check.error(UserErrorCode::Taken, field, "There is a donation in the order already.");
                }
                Some(Chosen::Donation { minor: check_donation(check, field, amount, currency), is_monthly })
            }
            OrderItemInput::ExtraHours(wanted) => {
                extras += 1;
                if extras > 1 {
                    check.error(UserErrorCode::Taken, "extraHours", "There are extra hours in the order already.");
                }
                let current = YearMonth::of(now, zone);
                Some(check.part(&["extraHours"], |check| check_hours(check, wanted, current)))
            }
            OrderItemInput::PlanPriceId(_) => {
                check.error(UserErrorCode::NotAllowed, "planPriceId", "A membership is ordered by itself.");
                None
            }
        }));
    }
    chosen
}

fn check_gift(check: &mut Check, gift: &GiftInput, now: DateTime<Utc>) -> ChosenGift {
    let send_at = gift.send_at.map(|Time(at)| at);
    if send_at.is_some_and(|at| at > latest_sending(now)) {
        check.error(UserErrorCode::OutOfRange, "sendAt", "A gift is sent within a year.");
    }
    ChosenGift {
        course: gift.course_id,
        recipient_email: accounts::check_email(check, "recipientEmail", &gift.recipient_email),
        message: check.text("message", &gift.message, LONGEST_MESSAGE),
        send_at: send_at.filter(|at| *at > now),
    }
}

/// A donation is in the currency of the order, and at least 1 in its main unit.
fn check_donation(check: &mut Check, field: &str, amount: &MoneyInput, currency: CurrencyCode) -> i64 {
    if amount.currency != currency {
        let message = format!("The order is in {}.", currency.code());
        check.part(&[field], |check| check.error(UserErrorCode::NotAllowed, "currency", message));
        return 0;
    }
    let minor = amount.minor(check, field);
    if minor < 10_i64.pow(currency.decimals()) {
        let message = format!("A donation is at least 1 {}.", currency.code());
        check.error(UserErrorCode::OutOfRange, field, message);
    }
    minor
}

/// Extra hours are for the current month or the next one.
fn check_hours(check: &mut Check, wanted: &ExtraHoursInput, current: YearMonth) -> Chosen {
    if wanted.hours < 1 {
        check.error(UserErrorCode::OutOfRange, "hours", "At least one hour is ordered.");
    }
    let (month, next) = (wanted.month.unwrap_or(current), current.next());
    if ![current, next].contains(&month) {
        check.error(UserErrorCode::OutOfRange, "month", format!("Extra hours are for {current} or {next}."));
    }
    Chosen::ExtraHours { hours: wanted.hours, month }
}

/// Whom an invoice is for.
pub(super) struct BilledTo {
    pub(super) name: Option<String>,
    pub(super) address: Option<String>,
    pub(super) tax_id: Option<String>,
}

/// Checks where the buyer is, and whom the invoice is for.
pub(super) fn check_billing(check: &mut Check, billing: &BillingInput) -> BilledTo {
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    check.part(&["billing"], |check| {
        let country = &billing.country;
        if country.len() != 2 || !country.bytes().all(|letter| letter.is_ascii_uppercase()) {
            check.malformed("country", country, "is not a country; write two capital letters of ISO 3166, such as DE");
        }
        BilledTo {
            name: billing.name.as_deref().and_then(|name| some(check.line("name", name, LONGEST_NAME))),
            address: billing.address.as_deref().and_then(|text| some(check.text("address", text, LONGEST_ADDRESS))),
            tax_id: billing.tax_id.as_deref().and_then(|id| some(check.line("taxId", id, LONGEST_TAX_ID))),
        }
    })
}
