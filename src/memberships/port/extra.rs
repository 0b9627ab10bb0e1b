//! Extra hours of live classes: what they cost, and what becomes of them. What counts of them is decided by live
//! classes, which read what is paid (`extra_minutes`) and are told of each change.
//!
//! The user is locked by the caller, so that two orders cannot exceed what the plan allows.

use crate::accounts::UserId;
use crate::graphql::YearMonth;
use crate::graphql::money::CurrencyCode;
use crate::memberships::event::ExtraHoursChanged;
use crate::memberships::model::{ExtraHours, ExtraHoursId, LiveAllowance, PeriodState, Plan, PlanPrice};
use crate::memberships::query::{extra as rows, membership, plan as plans};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

/// Extra hours that a user wants.
#[derive(Clone, Copy, Debug)]
pub struct WantedHours {
    /// The user.
    pub user: UserId,
    /// The month in which they are to count.
    pub month: YearMonth,
    /// How many, at least one.
    pub hours: i32,
}

/// Whether a user may buy extra hours.
#[derive(Clone, Copy, Debug)]
pub enum HoursOffer {
    /// They cost so much, at the price of the user's membership.
    Sold {
        /// The amount for all of them before coupon and tax, in minor units.
        amount_minor: i64,
        /// The currency.
        currency: CurrencyCode,
    },
    /// The plan allows fewer for this month: so many more.
    TooMany(i64),
    /// The user has no membership in that month whose plan and price have extra hours.
    NotOffered,
}

/// Returns what extra hours would cost a user.
///
/// # Errors
/// The database failed.
pub async fn offer_hours(tx: &mut Tx, app: &App, wanted: WantedHours) -> Result<HoursOffer, InternalError> {
    let Some((plan, price)) = plan_for(tx, app, wanted.user, wanted.month).await? else {
        return Ok(HoursOffer::NotOffered);
    };
    let (Some(most), Some(hour)) = (plan.max_extra_hours, price.extra_hour_minor) else {
        return Ok(HoursOffer::NotOffered);
    };
    let left = i64::from(most) - rows::taken(tx, wanted.user, wanted.month.first_day()).await? / 60;
    if i64::from(wanted.hours) > left {
        return Ok(HoursOffer::TooMany(left.max(0)));
    }
    Ok(HoursOffer::Sold { amount_minor: hour * i64::from(wanted.hours), currency: price.currency })
}

/// Returns the plan and price of the membership that a user has in a month, from now on, of several the one with the
/// most hours. For a family, its owner buys.
async fn plan_for(
    tx: &mut Tx,
    app: &App,
    user: UserId,
    month: YearMonth,
) -> Result<Option<(Plan, PlanPrice)>, InternalError> {
    let at = month.start(app.config.time_zone).max(app.clock.now());
    let mut memberships = membership::unexpired_of(tx.conn(), &[user]).await?;
    memberships.retain(|(row, ..)| row.user_id == user);
    let Some(found) = LiveAllowance::most(&memberships, user, at) else { return Ok(None) };
    let price = memberships.iter().find(|(row, ..)| row.id == found.membership).map(|(row, ..)| row.plan_price_id);
    let Some(price) = price else { return Ok(None) };
    Ok(plans::prices_by_ids(tx.conn(), &[price]).await?.pop().map(|(price, plan)| (plan, price)))
}

/// Keeps extra hours for an order that waits for its payment. They were offered in this transaction ([`offer_hours`]).
///
/// # Errors
/// The database failed.
pub async fn reserve_hours(tx: &mut Tx, app: &App, wanted: WantedHours) -> Result<ExtraHoursId, InternalError> {
    let new = ExtraHours {
        id: ExtraHoursId::new(app.clock.uuid()),
        user_id: wanted.user,
        month: wanted.month.first_day(),
        minutes: 60 * wanted.hours,
        state: PeriodState::Open,
        created_at: app.clock.now(),
    };
    rows::insert(tx, &new).await?;
    Ok(new.id)
}

/// Whether extra hours may be paid now: their month is not over, the user has a membership for live classes in it, and
/// if the order had ended, the plan still allows so many. Money that comes when they may not goes back.
///
/// # Errors
/// The database failed.
pub async fn hours_may_be_paid(tx: &mut Tx, app: &App, id: ExtraHoursId) -> Result<bool, InternalError> {
    let Some(row) = rows::by_id(tx, id).await? else { return Ok(false) };
    let month = YearMonth::of_day(row.month);
    if month.next().start(app.config.time_zone) <= app.clock.now() {
        return Ok(false);
    }
    let Some((plan, _)) = plan_for(tx, app, row.user_id, month).await? else { return Ok(false) };
    if plan.live_minutes_per_month.is_none() {
        return Ok(false);
    }
    if row.state == PeriodState::Open {
        return Ok(true);
    }
    let most = i64::from(plan.max_extra_hours.unwrap_or_default()) * 60;
    Ok(rows::taken(tx, row.user_id, row.month).await? + i64::from(row.minutes) <= most)
}

/// Gives extra hours that are paid, or whose money is back. Doing it again does nothing.
///
/// # Errors
/// The database failed.
pub async fn hours_paid(tx: &mut Tx, app: &App, id: ExtraHoursId) -> Result<(), InternalError> {
    let from = [PeriodState::Open, PeriodState::Void, PeriodState::Revoked];
    let given = rows::set_state(tx, id, &from, PeriodState::Paid).await?;
    tell(tx, app, given).await
}

/// Gives up extra hours whose order has ended without its money.
///
/// # Errors
/// The database failed.
pub async fn hours_unpaid(tx: &mut Tx, id: ExtraHoursId) -> Result<(), InternalError> {
    rows::set_state(tx, id, &[PeriodState::Open], PeriodState::Void).await?;
    Ok(())
}

/// Takes extra hours back whose money goes back. What is attended or held of them stays with the member, as live classes
/// decide. Doing it again does nothing.
///
/// # Errors
/// The database failed.
pub async fn revoke_hours(tx: &mut Tx, app: &App, id: ExtraHoursId) -> Result<(), InternalError> {
    let revoked = rows::set_state(tx, id, &[PeriodState::Paid], PeriodState::Revoked).await?;
    tell(tx, app, revoked).await
}

async fn tell(tx: &mut Tx, app: &App, changed: Option<ExtraHours>) -> Result<(), InternalError> {
    let Some(ExtraHours { user_id, month, .. }) = changed else { return Ok(()) };
    outbox::record(tx, &app.clock, &ExtraHoursChanged { member: user_id, month }).await?;
    Ok(())
}
