//! Changes and cancels memberships.

use chrono::{DateTime, Utc};

use super::place::{Terms, billed_before, place, priced};
use crate::accounts::viewer;
use crate::graphql::error::Check;
use crate::graphql::loaders::Load;
use crate::graphql::money::{Money, MoneyInput};
use crate::graphql::{Error, Result};
use crate::memberships::{
    self, Begun, ChangeTime, Held, Membership, MembershipById, MembershipChangeTerms, MembershipId, MembershipStatus,
    PeriodId,
};
use crate::orders::command::create::open_checkout;
use crate::orders::command::tax::{Calculations, Taxed};
use crate::orders::command::{end, hold, pay};
use crate::orders::model::{Order, Payment, Step};
use crate::orders::query::order as query;
use crate::orders::{error, policy};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::payments::Provider;

/// What a change would cost.
pub struct MembershipQuote {
    /// The new price for an interval, with tax.
    pub price: Money,
    /// What is taken off it.
    pub credit: Money,
    /// What is charged now, with tax.
    pub total: Money,
    /// What of the credit is left for later periods.
    pub credit_left: Money,
    /// When the new price is charged next; `None` if that is not known yet.
    pub next_billing_at: Option<DateTime<Utc>>,
}

/// Cancels a membership; an open order of it is canceled, too.
///
/// # Errors
/// There is no such membership that the actor may see, it is canceled or has ended, or its first payment is on its way.
pub async fn cancel_membership(app: &App, actor: &Actor, id: MembershipId) -> Result<Membership> {
    app.db
        .transaction(async |tx| {
            let held = memberships::hold(tx, id).await?.filter(|held| policy::can_see(actor, held.row.user_id));
            let mut held = held.ok_or_else(missing)?;
            if let Some(period) = memberships::open_period(tx, id).await? {
                if held.row.status == MembershipStatus::Pending && !policy::can_manage(actor) {
                    check_not_processing(tx, period).await?;
                }
                memberships::forsake(tx, period).await?;
                end_order(tx, app, period).await?;
            }
            let students = memberships::cancel(tx, app, &mut held).await?;
            pay::count_students(tx, students.into_iter().collect()).await?;
            Ok(held.row)
        })
        .await
}

/// Checks that the money for a period is not on its way.
async fn check_not_processing(tx: &mut Tx, period: PeriodId) -> Result<()> {
    if is_processing(tx, period).await? { Err(error::processing(&["membershipId"])) } else { Ok(()) }
}

/// Whether the provider processes the payment of a period.
pub(super) async fn is_processing(tx: &mut Tx, period: PeriodId) -> std::result::Result<bool, InternalError> {
    let Some((_, order)) = query::of_periods(tx.conn(), &[period]).await?.pop() else { return Ok(false) };
    Ok(query::by_id(tx.conn(), order).await?.is_some_and(|order| order.is_processing()))
}

/// Ends the order of a period that waits for its payment.
pub(super) async fn end_order(tx: &mut Tx, app: &App, period: PeriodId) -> std::result::Result<(), InternalError> {
    let Some((_, order)) = query::of_periods(tx.conn(), &[period]).await?.pop() else { return Ok(()) };
    let Some(held) = hold::lock(tx, order).await? else { return Ok(()) };
    if held.order.status.after(Step::Cancel).is_some() {
        end::end(tx, app, &held, Step::Cancel).await?;
    }
    Ok(())
}

/// Changes the price of a membership. If that costs something, it is an order, and applies when that is paid.
///
/// # Errors
/// There is no such membership of the actor, it cannot be changed now, the price is not one for it, or another total
/// than the expected one would be charged.
pub async fn change_membership(
    app: &App,
    actor: &Actor,
    input: MembershipChangeTerms,
    expected: Option<MoneyInput>,
) -> Result<Membership> {
    let mut check = Check::new();
    let expected = expected.map(|total| (total.minor(&mut check, "expectedTotal"), total.currency));
    check.finish()?;
    let mut calculations = Calculations::default();
    let changed = loop {
        let changed = app
            .db
            .transaction(async |tx| {
                let changed = change(tx, app, actor, &input, &calculations).await?;
                if let (Some((order, _)), Some(expected)) = (&changed, expected)
                    && (order.total_minor, order.currency) != expected
                {
                    return Err(error::another_total(Money::new(order.total_minor, order.currency)));
                }
                Ok(changed)
            })
            .await;
        if let Some(changed) = calculations.after(app, changed).await? {
            break changed;
        }
    };
    if let Some((order, payment)) = changed {
        open_checkout(app, order, payment.as_ref()).await?;
    }
    // It may be charged, and so be changed, already.
    let row = MembershipById(input.membership_id).load_one(app).await?.ok_or_else(missing)?;
    Ok(Membership::clone(&row))
}

async fn change(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    input: &MembershipChangeTerms,
    calculations: &Calculations,
) -> Result<Option<(Order, Option<Payment>)>> {
    let mut held = own(tx, actor, input.membership_id).await?;
    let (price, provider) = (input.plan_price_id, provider(app));
    let begun = match (held.row.status, input.when) {
        (MembershipStatus::Pending, _) => {
            // Checked before the order ends, so that nothing is lost by a mistake.
            memberships::target_of_change(tx, &held, price, provider).await?;
            if let Some(period) = memberships::open_period(tx, held.row.id).await? {
                check_not_processing(tx, period).await?;
                memberships::forsake(tx, period).await?;
                end_order(tx, app, period).await?;
            }
            memberships::change_pending(tx, app, &mut held, price, provider).await?
        }
        (MembershipStatus::Trialing, ChangeTime::Now) => {
            memberships::change_trial(tx, app, &mut held, price, provider).await?;
            return Ok(None);
        }
        (_, ChangeTime::Renewal) => {
            memberships::change_at_renewal(tx, app, &mut held, price, provider).await?;
            return Ok(None);
        }
        (_, ChangeTime::Now) => memberships::offer_change(tx, app, &held, price, provider).await?,
    };
    let country = begun.membership.country.clone();
    place(tx, app, &terms(app, &begun, &country), calculations).await.map(Some)
}

/// The order of a period for which the member has chosen no provider.
pub(super) fn terms<'a>(app: &App, begun: &'a Begun, country: &'a str) -> Terms<'a> {
    Terms { begun, country, entered: None, return_url: None, provider: app.payments.first(), billed_to: None }
}

/// Returns what a change would cost now.
///
/// # Errors
/// See [`change_membership`].
pub async fn quote_membership_change(
    app: &App,
    actor: &Actor,
    input: MembershipChangeTerms,
) -> Result<MembershipQuote> {
    let mut calculations = Calculations::default();
    loop {
        let quoted = app.db.transaction(async |tx| quote(tx, app, actor, &input, &calculations).await).await;
        if let Some(quoted) = calculations.after(app, quoted).await? {
            return Ok(quoted);
        }
    }
}

async fn quote(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    input: &MembershipChangeTerms,
    calculations: &Calculations,
) -> Result<MembershipQuote> {
    let held = own(tx, actor, input.membership_id).await?;
    let (price, _) = memberships::target_of_change(tx, &held, input.plan_price_id, provider(app)).await?;
    let is_later = input.when == ChangeTime::Renewal || held.row.status == MembershipStatus::Trialing;
    let (credit, left, charged) = if is_later {
        (0, held.row.credit_minor, 0)
    } else {
        let change = memberships::quote_change(tx, app, &held, &price).await?;
        (change.credit_minor, change.credit_left_minor, change.price_minor - change.credit_minor)
    };
    let billed = billed_before(tx, held.row.id).await?;
    let tax_id = billed.as_ref().and_then(|billed| billed.tax_id.as_deref());
    let taxed = Taxed { country: &held.row.country, tax_id, currency: price.currency };
    let money = |minor| Money::new(minor, price.currency);
    let with_tax = |minor| -> Result<Money> {
        let (amounts, _) = priced(app, calculations, taxed, minor, None)?;
        Ok(money(amounts.total))
    };
    Ok(MembershipQuote {
        price: with_tax(price.amount_minor)?,
        credit: money(credit),
        total: with_tax(charged)?,
        credit_left: money(left),
        next_billing_at: held.row.billing_at.filter(|_| credit == 0 && charged == 0),
    })
}

async fn own(tx: &mut Tx, actor: &Actor, id: MembershipId) -> Result<Held> {
    let member = viewer(actor)?;
    let held = memberships::hold(tx, id).await?;
    held.filter(|held| held.row.user_id == member && held.has_member).ok_or_else(missing)
}

fn provider(app: &App) -> Option<Provider> {
    app.payments.first()
}

fn missing() -> Error {
    error::no_such_membership()
}
