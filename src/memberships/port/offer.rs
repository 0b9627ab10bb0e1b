//! Periods that are ordered: what they cost.

use super::Held;
use crate::accounts::UserId;
use crate::entitlements::EndReason;
use crate::graphql::Result;
use crate::graphql::money::CurrencyCode;
use crate::memberships::command::{self, cancel, end, end_of_grace, give, plan_billing, scope_of, write};
use crate::memberships::error;
use crate::memberships::event::MembershipChange;
use crate::memberships::model::{
    Membership, MembershipId, MembershipStatus, NewMembership, NewPeriod, Period, PeriodId, PeriodReason, PeriodState,
    Plan, PlanPrice, PlanPriceId, remaining,
};
use crate::memberships::query::{membership as rows, period as periods, plan as plans};
use crate::platform::App;
use crate::platform::db::{self, Tx};
use crate::platform::internal_error::InternalError;
use crate::platform::payments::Provider;

/// What a user wants to be a member of.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// The user, who is locked.
    pub user: UserId,
    /// The price.
    pub price: PlanPriceId,
    /// Their country (ISO 3166-1, two letters).
    pub country: &'a str,
    /// The provider at which they would pay; `None` if there is none.
    pub provider: Option<Provider>,
}

/// A period that was begun: it is to be ordered.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The period.
    pub period: Period,
    /// The price.
    pub price: PlanPrice,
    /// The plan.
    pub plan: Plan,
    /// The membership.
    pub membership: Membership,
}

/// What a change does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The new price, in minor units.
    pub price_minor: i64,
    /// What is taken off it: what is left of the current period, and of earlier changes.
    pub credit_minor: i64,
    /// What of that is left for later periods.
    pub credit_left_minor: i64,
}

impl Change {
    /// Returns what a price costs with so much credit.
    fn of(price_minor: i64, credit: i64) -> Change {
        let used = credit.min(price_minor);
        Change { price_minor, credit_minor: used, credit_left_minor: credit - used }
    }
}

/// What a membership would cost a user.
pub struct Terms {
    /// The price.
    pub price: PlanPrice,
    /// The plan.
    pub plan: Plan,
    /// Whether the first period is free.
    pub is_trial: bool,
    /// Whether the membership begins by it, rather than going on after a renewal that has failed.
    pub is_first: bool,
    /// What the first period costs before coupon and tax, in minor units.
    pub charged_minor: i64,
    /// The membership of the user whose renewal has failed: this pays for it.
    due: Option<Membership>,
}

/// Returns what a membership would cost a user. If the price has a trial and they were never a member for the same, the
/// first period is free.
///
/// # Errors
/// The price is not sold, or not at the provider yet; the user has such a membership.
pub async fn terms(tx: &mut Tx, offer: Offer<'_>) -> Result<Terms> {
    let (price, plan) = command::sold(tx, offer.price, offer.provider).await?;
    let earlier = rows::of_scope(tx.conn(), offer.user, scope_of(&plan)).await?;
    let is_trial = price.trial_days > 0 && earlier.is_empty();
    let due = earlier.into_iter().find(|row| row.status != MembershipStatus::Expired);
    match &due {
        // What is past due on Google Play is paid there.
        Some(live) if live.status != MembershipStatus::PastDue || live.is_play => Err(error::live_already(live.status)),
        // Its credit, if it has one, is in that currency.
        Some(live) if currency_of(tx, live).await? != Some(price.currency) => Err(error::another_currency()),
        _ => {
            let credit = due.as_ref().map_or(0, |row| row.credit_minor);
            let charged_minor = if is_trial { 0 } else { price.amount_minor - credit.min(price.amount_minor) };
            Ok(Terms { price, plan, is_trial, is_first: due.is_none(), charged_minor, due })
        }
    }
}

async fn currency_of(tx: &mut Tx, row: &Membership) -> std::result::Result<Option<CurrencyCode>, InternalError> {
    let price = plans::prices_by_ids(tx.conn(), &[row.plan_price_id]).await?.pop();
    Ok(price.map(|(price, _)| price.currency))
}

/// Begins a membership, or the next period of one whose renewal has failed.
///
/// # Errors
/// See [`terms`].
pub async fn offer(tx: &mut Tx, app: &App, offer: Offer<'_>) -> Result<Begun> {
    let Terms { price, plan, is_trial, due, .. } = terms(tx, offer).await?;
    if let Some(due) = due {
        let row = rows::lock(tx, due.id).await?.ok_or_else(error::no_such_membership)?;
        if periods::open_of(tx, row.id).await?.is_some() {
            return Err(error::payment_in_flight());
        }
        let held = Held { row, price, plan, has_member: true };
        return Ok(begin(tx, app, held, PeriodReason::Renewal).await?);
    }
    let (now, (kind, course_id, category_id)) = (app.clock.now(), scope_of(&plan));
    let new = NewMembership {
        id: MembershipId::new(app.clock.uuid()),
        user_id: offer.user,
        plan_id: plan.id,
        plan_price_id: price.id,
        kind,
        course_id,
        category_id,
        status: MembershipStatus::Pending,
        country: offer.country,
        is_play: false,
        created_at: now,
        updated_at: now,
    };
    let mut row = rows::insert(tx, &new).await.map_err(|failed| match db::is_taken(&failed, "memberships_live") {
        true => error::live_already(MembershipStatus::Active),
        false => failed.into(),
    })?;
    write(tx, app, &mut row, MembershipChange::Ordered).await?;
    let reason = if is_trial { PeriodReason::Trial } else { PeriodReason::Start };
    Ok(begin(tx, app, Held { row, price, plan, has_member: true }, reason).await?)
}

/// Begins the next period of a locked membership whose renewal is due. If its plan is archived or its user gone, or
/// nothing is renewed, it is canceled or ended, and `None`.
///
/// # Errors
/// The database failed.
pub async fn offer_renewal(
    tx: &mut Tx,
    app: &App,
    held: &mut Held,
) -> std::result::Result<(Option<Begun>, super::Students), InternalError> {
    if !held.has_member || (held.row.status == MembershipStatus::PastDue && held.plan.archived_at.is_some()) {
        return Ok((None, end(tx, app, held, EndReason::MembershipChanged).await?));
    }
    if held.plan.archived_at.is_some() || held.plan.target().is_none() {
        let students = cancel(tx, app, held).await?;
        return Ok((None, students.flatten()));
    }
    if let Some(next) = held.row.next_price_id
        && let Some((price, plan)) = plans::prices_by_ids(tx.conn(), &[next]).await?.pop()
        && plan.archived_at.is_none()
    {
        (held.price, held.plan) = (price, plan);
    }
    // Until it is decided whether it is paid.
    held.row.billing_at = None;
    held.row.remind_at = None;
    let now = app.clock.now();
    let from = held.row.period_ends_at.map_or(now, |end| end.max(now));
    let students = give(tx, app, held, end_of_grace(app, from)).await?;
    rows::update(tx, &held.row, app.clock.now()).await?;
    let begun = begin(tx, app, held.clone(), PeriodReason::Renewal).await?;
    Ok((Some(begun), students))
}

/// Returns what a change at once costs a locked membership.
///
/// # Errors
/// See [`offer_change`].
pub async fn quote_change(tx: &mut Tx, app: &App, held: &Held, price: &PlanPrice) -> Result<Change> {
    if held.row.status != MembershipStatus::Active {
        return Err(error::not_possible(held.row.status, "changed at once"));
    }
    if periods::open_of(tx, held.row.id).await?.is_some() {
        return Err(error::payment_in_flight());
    }
    let current = periods::paid(tx, held.row.id, held.row.period).await?;
    let value = |period: &Period| period.paid_minor + period.credit_minor;
    let left = match (&current, held.row.period_starts_at.zip(held.row.period_ends_at)) {
        (Some(period), Some(limits)) => remaining(value(period), limits, app.clock.now()),
        _ => 0,
    };
    Ok(Change::of(price.amount_minor, left + held.row.credit_minor))
}

/// Begins a period at a new price, which replaces the current one of a locked membership once it is paid. What is left
/// of that is taken off the price.
///
/// # Errors
/// The membership is not active, or is being paid for; see [`target_of_change`].
pub async fn offer_change(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    new: PlanPriceId,
    provider: Option<Provider>,
) -> Result<Begun> {
    let (price, plan) = target_of_change(tx, held, new, provider).await?;
    let change = quote_change(tx, app, held, &price).await?;
    let held = Held { price, plan, ..held.clone() };
    Ok(insert(tx, app, held, PeriodReason::Change, change).await?)
}

/// Returns the price that a locked membership may be changed to.
///
/// # Errors
/// The membership is paid on Google Play; the price is not sold, is the same, or is for something else or in another
/// currency.
pub async fn target_of_change(
    tx: &mut Tx,
    held: &Held,
    new: PlanPriceId,
    provider: Option<Provider>,
) -> Result<(PlanPrice, Plan)> {
    if held.row.is_play {
        return Err(error::managed_by_play());
    }
    let (price, plan) = command::sold(tx, new, provider).await?;
    if price.id == held.price.id && held.row.next_price_id.is_none() {
        return Err(error::same_price());
    }
    if scope_of(&plan) != scope_of(&held.plan) {
        return Err(error::another_scope());
    }
    if price.currency != held.price.currency {
        return Err(error::another_currency());
    }
    Ok((price, plan))
}

/// Changes the price of a locked membership from its next renewal on.
///
/// # Errors
/// It does not renew itself; see [`target_of_change`].
pub async fn change_at_renewal(
    tx: &mut Tx,
    app: &App,
    held: &mut Held,
    new: PlanPriceId,
    provider: Option<Provider>,
) -> Result<()> {
    let (price, _) = target_of_change(tx, held, new, provider).await?;
    if !held.row.status.renews() {
        return Err(error::not_possible(held.row.status, "changed"));
    }
    held.row.next_price_id = Some(price.id).filter(|next| *next != held.price.id);
    Ok(write(tx, app, &mut held.row, MembershipChange::ChangePlanned).await?)
}

/// Changes the price of a locked membership at once that is in its trial, which goes on.
///
/// # Errors
/// See [`target_of_change`].
pub async fn change_trial(
    tx: &mut Tx,
    app: &App,
    held: &mut Held,
    new: PlanPriceId,
    provider: Option<Provider>,
) -> Result<()> {
    let (price, plan) = target_of_change(tx, held, new, provider).await?;
    if periods::open_of(tx, held.row.id).await?.is_some() {
        return Err(error::payment_in_flight());
    }
    held.row.move_to(&price, &plan, app.clock.now());
    (held.price, held.plan) = (price, plan);
    plan_billing(app, held, PeriodReason::Trial);
    Ok(write(tx, app, &mut held.row, MembershipChange::PlanChanged).await?)
}

/// Makes a locked membership that is not paid yet one of another price, and begins its first period anew. The order
/// of the one before must have ended ([`super::forsake`]).
///
/// # Errors
/// See [`target_of_change`].
pub async fn change_pending(
    tx: &mut Tx,
    app: &App,
    held: &mut Held,
    new: PlanPriceId,
    provider: Option<Provider>,
) -> Result<Begun> {
    let (price, plan) = target_of_change(tx, held, new, provider).await?;
    held.row.move_to(&price, &plan, app.clock.now());
    (held.price, held.plan) = (price, plan);
    held.row.plan_since = None;
    write(tx, app, &mut held.row, MembershipChange::PlanChanged).await?;
    let earlier = rows::of_scope(tx.conn(), held.row.user_id, scope_of(&held.plan)).await?;
    let was_member = earlier.iter().any(|row| row.started_at.is_some());
    let is_trial = held.price.trial_days > 0 && !was_member;
    let reason = if is_trial { PeriodReason::Trial } else { PeriodReason::Start };
    Ok(begin(tx, app, held.clone(), reason).await?)
}

/// Begins a period at the membership's price.
async fn begin(tx: &mut Tx, app: &App, held: Held, reason: PeriodReason) -> std::result::Result<Begun, InternalError> {
    let price = if reason == PeriodReason::Trial { 0 } else { held.price.amount_minor };
    let change = Change::of(price, held.row.credit_minor);
    insert(tx, app, held, reason, change).await
}

async fn insert(
    tx: &mut Tx,
    app: &App,
    held: Held,
    reason: PeriodReason,
    change: Change,
) -> std::result::Result<Begun, InternalError> {
    let new = NewPeriod {
        id: PeriodId::new(app.clock.uuid()),
        membership_id: held.row.id,
        number: held.row.period + 1,
        reason,
        plan_price_id: held.price.id,
        state: PeriodState::Open,
        price_minor: change.price_minor,
        credit_minor: change.credit_minor,
        credit_left_minor: change.credit_left_minor,
        created_at: app.clock.now(),
    };
    let period = periods::insert(tx, &new).await?;
    Ok(Begun { period, price: held.price, plan: held.plan, membership: held.row })
}
