//! Checks prices of plans, and of extra hours.

use crate::graphql::error::{Check, UserErrorCode};
use crate::memberships::model::{NewPriceInput, PlanKind};

const MOST_PRICES: usize = 12;
const MOST_TRIAL_DAYS: i32 = 365;
const MOST_EXTRA_HOURS: i16 = 744;

/// The amounts of a price, in minor units.
#[derive(Clone, Copy)]
pub(super) struct Amounts {
    pub(super) price: i64,
    pub(super) extra_hour: Option<i64>,
}

/// Checks the prices of a new plan; returns them with their amounts.
pub(super) fn check_prices(
    check: &mut Check,
    kind: PlanKind,
    prices: &[NewPriceInput],
) -> Vec<(NewPriceInput, Amounts)> {
    if prices.is_empty() || prices.len() > MOST_PRICES {
        let message = format!("A plan has 1 to {MOST_PRICES} prices; this one has {}.", prices.len());
        check.error(UserErrorCode::OutOfRange, "prices", message);
        return Vec::new();
    }
    let mut checked: Vec<(NewPriceInput, Amounts)> = Vec::new();
    for (place, price) in prices.iter().enumerate() {
        check.part(&["prices", &place.to_string()], |check| {
            let same = |(other, _): &(NewPriceInput, Amounts)| {
                other.interval == price.interval && other.amount.currency == price.amount.currency
            };
            if checked.iter().any(same) {
                check.error(UserErrorCode::Taken, "interval", "There is a price for this interval and currency.");
            }
            let amounts = check_price(check, kind, price);
            checked.push((price.clone(), amounts));
        });
    }
    checked
}

/// Checks a price of a plan of a kind; returns its amounts.
pub(super) fn check_price(check: &mut Check, kind: PlanKind, input: &NewPriceInput) -> Amounts {
    let price = input.amount.minor(check, "amount");
    if input.amount.amount.is_zero() {
        check.error(UserErrorCode::OutOfRange, "amount", "A plan costs more than nothing.");
    }
    if !(0..=MOST_TRIAL_DAYS).contains(&input.trial_days) {
        let message = format!("A trial has 0 to {MOST_TRIAL_DAYS} days.");
        check.error(UserErrorCode::OutOfRange, "trialDays", message);
    }
    let extra_hour = input.extra_hour_amount.as_ref().map(|amount| {
        let is_of_kind = kind == PlanKind::LiveClass;
        if !is_of_kind || amount.currency != input.amount.currency {
            let why = if is_of_kind { "It is in the currency of the price." } else { "A plan of this kind has none." };
            check.error(UserErrorCode::NotAllowed, "extraHourAmount", why);
        } else if amount.amount.is_zero() {
            check.error(UserErrorCode::OutOfRange, "extraHourAmount", "An extra hour costs more than nothing.");
        }
        amount.minor(check, "extraHourAmount")
    });
    Amounts { price, extra_hour }
}

/// Checks how many extra hours members may buy for a month; 0 is `None`.
pub(super) fn check_extra(check: &mut Check, kind: PlanKind, hours: Option<i32>) -> Option<i16> {
    const FIELD: &str = "maxExtraHours";
    let hours = hours?;
    if kind != PlanKind::LiveClass {
        check.error(UserErrorCode::NotAllowed, FIELD, "A plan of this kind has none.");
        return None;
    }
    let checked = i16::try_from(hours).ok().filter(|hours| (0..=MOST_EXTRA_HOURS).contains(hours));
    if checked.is_none() {
        let message = format!("At most {MOST_EXTRA_HOURS} extra hours a month are sold; 0 for none.");
        check.error(UserErrorCode::OutOfRange, FIELD, message);
    }
    checked.filter(|hours| *hours > 0)
}
