//! Extra hours of live classes in an order.

use super::choice::Chosen;
use super::price::Line;
use crate::accounts::UserId;
use crate::graphql::Result;
use crate::graphql::money::CurrencyCode;
use crate::memberships::{self, HoursOffer, WantedHours};
use crate::orders::error;
use crate::orders::model::OrderItemKind;
use crate::platform::App;
use crate::platform::db::Tx;

/// The extra hours that a buyer has chosen; `None` if it is something else.
pub(super) fn wanted(chosen: &Chosen, user: UserId) -> Option<WantedHours> {
    match chosen {
        Chosen::ExtraHours { hours, month } => Some(WantedHours { user, month: *month, hours: *hours }),
        Chosen::Course(_) | Chosen::Gift(_) | Chosen::Donation { .. } => None,
    }
}

/// Returns the extra hours that a buyer has chosen, with their price; `None` if there are none. To order them, the
/// buyer must be locked.
///
/// # Errors
/// The buyer's plan does not sell so many for the month, or not in this currency.
pub(super) async fn line(
    tx: &mut Tx,
    app: &App,
    buyer: UserId,
    chosen: &[Chosen],
    currency: CurrencyCode,
) -> Result<Option<Line>> {
    let found = chosen.iter().enumerate().find_map(|(place, one)| Some((place.to_string(), wanted(one, buyer)?)));
    let Some((place, wanted)) = found else { return Ok(None) };
    let (price_minor, own) = match memberships::offer_hours(tx, app, wanted).await? {
        HoursOffer::Sold { amount_minor, currency } => (amount_minor, currency),
        HoursOffer::TooMany(left) => {
            return Err(error::too_many_hours(left, &["items", &place, "extraHours", "hours"]));
        }
        HoursOffer::NotOffered => return Err(error::no_extra_hours(&["items", &place, "extraHours"])),
    };
    if own != currency {
        return Err(error::another_currency(own));
    }
    let hours = Some((wanted.hours, wanted.month));
    Ok(Some(Line { hours, price_minor, ..Line::new(OrderItemKind::ExtraHours) }))
}
