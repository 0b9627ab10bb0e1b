//! What orders do with the subscriptions of memberships at payment providers.
//!
//! A membership has its subscription for as long as that charges the price of its plan for the next period. Whatever
//! changes this ends the subscription (`command::write`), and the next period is paid on a page.

use chrono::{DateTime, TimeDelta, Utc};

use super::outcome::Authorization;
use super::{Begun, Held, Students};
use crate::memberships::command::{cancel, end_of_grace, give, limits, release, step, wait_after, write};
use crate::memberships::event::MembershipChange;
use crate::memberships::model::{
    MembershipId, MembershipStatus, PeriodReason, ProviderSubscription, Step, SubscriptionState, next_charge,
};
use crate::memberships::query::{membership as rows, plan as plans, subscription as query};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::payments::{self, Provider, SubscriptionStatus};

/// How much earlier than agreed a subscription may charge: some providers have an hour of the day for that.
const EARLY: TimeDelta = TimeDelta::days(1);
/// How long after the end of a period the provider is asked whether it has charged the next one.
const ASKED: TimeDelta = TimeDelta::hours(1);
/// How long after the end of a period the charge of the next one counts as failed that has not come.
const LATEST: TimeDelta = TimeDelta::hours(12);

/// What the next period is charged to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextCharge {
    /// What is stored of earlier checkouts, if anything is.
    Stored,
    /// A checkout.
    Authorization(Authorization),
    /// A subscription, which a checkout has started, or which has charged this period.
    Subscription(StartedSubscription),
}

/// A subscription that a checkout has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartedSubscription {
    /// The provider.
    pub provider: Provider,
    /// The provider's id.
    pub id: String,
    /// When it charges for the first time.
    pub starts_at: DateTime<Utc>,
}

impl StartedSubscription {
    fn row(self, membership_id: MembershipId, state: SubscriptionState, now: DateTime<Utc>) -> ProviderSubscription {
        let StartedSubscription { provider, id: external_id, starts_at } = self;
        let (created_at, check_at) = (now, Some(now));
        ProviderSubscription {
            provider,
            external_id,
            membership_id,
            state,
            starts_at,
            created_at,
            check_at,
            attempts: 0,
        }
    }
}

/// Returns when a subscription charges for the first time that the checkout of a period starts, which is open until
/// `until`: at the end of the period. `None` if it starts none: the provider has none for the price, or the next period
/// does not cost that.
///
/// # Errors
/// The database failed.
pub async fn subscription_start(
    tx: &mut Tx,
    app: &App,
    begun: &Begun,
    provider: Provider,
    until: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, InternalError> {
    let (row, reason) = (&begun.membership, begun.period.reason);
    let is_changed = reason == PeriodReason::Renewal && row.next_price_id.is_some_and(|next| next != begun.price.id);
    if !provider.has_subscriptions() || is_changed || begun.period.credit_left_minor > 0 {
        return Ok(None);
    }
    if query::plan_at(tx.conn(), begun.price.id, provider).await?.is_none() {
        return Ok(None);
    }
    let current = plans::prices_by_ids(tx.conn(), &[row.plan_price_id]).await?.pop();
    let was = current.map_or(begun.price.billing_interval, |(price, _)| price.billing_interval);
    let (price, plan) = (begun.price.clone(), begun.plan.clone());
    let mut held = Held { row: row.clone(), price, plan, has_member: true };
    let (_, end) = limits(app, &mut held, &begun.period, was);
    Ok(Some(end).filter(|end| payments::can_subscribe(provider, *end, until)))
}

/// Sets what the next period of a locked membership is charged to, whose current one ends at `end` and is just paid;
/// returns until when there is access. A subscription that does not charge it is ended. The membership is not written.
pub(super) async fn set_next_charge(
    tx: &mut Tx,
    app: &App,
    held: &mut Held,
    next: NextCharge,
    end: DateTime<Utc>,
) -> Result<DateTime<Utc>, InternalError> {
    let (now, row) = (app.clock.now(), &mut held.row);
    let started = match next {
        NextCharge::Stored => {
            release(tx, app, row).await?;
            return Ok(end);
        }
        NextCharge::Authorization(Authorization { provider, id }) => {
            release(tx, app, row).await?;
            row.provider = Some(provider);
            row.authorization_id = Some(id);
            return Ok(end);
        }
        NextCharge::Subscription(started) => started,
    };
    if !row.is_charged_by(started.provider, &started.id) {
        release(tx, app, row).await?;
        if !query::insert(tx, &started.clone().row(row.id, SubscriptionState::Active, now)).await? {
            // It is known, and so it has been ended.
            return Ok(end);
        }
        row.authorization_id = None;
        row.provider = Some(started.provider);
        row.subscription_id = Some(started.id.clone());
    }
    query::set_charged(tx, (started.provider, &started.id), end + ASKED).await?;
    if !row.may_have_subscription() {
        return Ok(end);
    }
    let interval = held.price.billing_interval;
    row.billing_at = Some(next_charge(started.starts_at, interval, now + EARLY, app.config.time_zone));
    // It may charge later than that.
    Ok(end_of_grace(app, end))
}

/// Has a subscription ended that a checkout of a membership has started, which cannot use it. Does nothing if it is
/// known.
///
/// # Errors
/// The database failed.
pub async fn refuse_subscription(
    tx: &mut Tx,
    app: &App,
    membership: MembershipId,
    started: StartedSubscription,
) -> Result<(), InternalError> {
    query::insert(tx, &started.row(membership, SubscriptionState::Ending, app.clock.now())).await?;
    Ok(())
}

/// Has the subscription of a locked membership ended, if it has one: the next period is paid on a page.
///
/// # Errors
/// The database failed.
pub async fn drop_subscription(tx: &mut Tx, app: &App, held: &mut Held) -> Result<(), InternalError> {
    if held.row.subscription_id.is_some() {
        release(tx, app, &mut held.row).await?;
        rows::update(tx, &held.row, app.clock.now()).await?;
    }
    Ok(())
}

/// Does what follows from what the provider says of the subscription of a locked membership, all charges of which are
/// known: `None` if it could not be asked. `has_failed` says that it has told of a charge that failed.
///
/// # Errors
/// The database failed.
pub async fn subscription_told(
    tx: &mut Tx,
    app: &App,
    held: &mut Held,
    state: Option<SubscriptionStatus>,
    has_failed: bool,
) -> Result<Students, InternalError> {
    let now = app.clock.now();
    let is_late = held.row.period_ends_at.is_some_and(|end| end + LATEST <= now);
    // What failed before the latest charge that has succeeded does not count.
    let is_due = held.row.billing_at.is_some_and(|at| at - EARLY <= now);
    let has_failed = is_due && (has_failed || state == Some(SubscriptionStatus::PastDue));
    match (state, held.row.status) {
        (Some(SubscriptionStatus::Ended), MembershipStatus::PastDue) => page_now(tx, app, held).await,
        // The member has canceled it at the provider.
        (Some(SubscriptionStatus::Ended), _) => Ok(cancel(tx, app, held).await?.flatten()),
        (_, MembershipStatus::PastDue) => Ok(None),
        _ if is_late || has_failed => failed(tx, app, held).await,
        _ => Ok(None),
    }
}

/// Makes a membership past due. The provider tries again; on the last day on which a renewal is tried, the member pays
/// on a page.
async fn failed(tx: &mut Tx, app: &App, held: &mut Held) -> Result<Students, InternalError> {
    let (now, days) = (app.clock.now(), &app.config.payments.dunning_days);
    let last = now + TimeDelta::days(days.last().copied().map_or(0, i64::from));
    step(app, &mut held.row, Step::Fail);
    held.row.failures = i16::try_from(days.len()).unwrap_or(i16::MAX);
    held.row.failed_at = Some(now);
    held.row.billing_at = Some(last);
    let students = give(tx, app, held, end_of_grace(app, last)).await?;
    write(tx, app, &mut held.row, MembershipChange::PaymentFailed).await?;
    Ok(students)
}

/// Has a membership that is past due paid on a page, now and on the days that are left.
async fn page_now(tx: &mut Tx, app: &App, held: &mut Held) -> Result<Students, InternalError> {
    let (now, days) = (app.clock.now(), &app.config.payments.dunning_days);
    release(tx, app, &mut held.row).await?;
    let first = *held.row.failed_at.get_or_insert(now);
    let passed = days.iter().filter(|day| first + TimeDelta::days(i64::from(**day)) <= now).count();
    held.row.failures = i16::try_from(passed + 1).unwrap_or(i16::MAX);
    held.row.billing_at = Some(now);
    rows::update(tx, &held.row, now).await?;
    Ok(None)
}

/// Sets when the provider is asked again about a subscription about which it was asked, unless that was set meanwhile.
/// It is not asked again about one that has ended, once it has answered.
///
/// # Errors
/// The database failed.
pub async fn subscription_asked(
    tx: &mut Tx,
    app: &App,
    asked: &ProviderSubscription,
    has_answered: bool,
) -> Result<(), InternalError> {
    let (key, now) = ((asked.provider, asked.external_id.as_str()), app.clock.now());
    let is_over = asked.state == SubscriptionState::Ended && has_answered;
    let next = (!is_over).then(|| now + wait_after(asked.attempts));
    query::set_asked(tx, (key, asked.state), next, now).await?;
    Ok(())
}
