//! Charges the next periods of memberships.

use chrono::TimeDelta;
use futures_util::stream::{self, StreamExt};

use super::change::{end_order, is_processing, terms};
use super::place::place;
use crate::graphql::Error;
use crate::memberships::{self, MembershipId, MembershipStatus};
use crate::orders::command::create::open_checkout;
use crate::orders::command::pay;
use crate::orders::command::tax::Calculations;
use crate::orders::model::{Order, Payment};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs;

/// The number of charges at a time.
const IN_FLIGHT: usize = 4;
/// When a membership is looked at again that could not be charged for a reason of this server's, or whose payment is on
/// its way.
const AGAIN: TimeDelta = TimeDelta::hours(1);

/// Charges the next period of each membership that is due, once.
///
/// # Errors
/// The database failed.
pub(crate) async fn renew(app: &App) -> Result<(), InternalError> {
    while !app.stopping.is_cancelled() {
        let due = memberships::to_bill(&mut *app.db.read().await?, app.clock.now()).await?;
        if due.is_empty() {
            break;
        }
        jobs::do_all(stream::iter(due).map(|id| renew_one(app, id)).buffer_unordered(IN_FLIGHT)).await?;
    }
    Ok(())
}

/// Charges a membership; one that cannot be is tried later, so that it does not keep the others from it.
async fn renew_one(app: &App, id: MembershipId) -> Result<(), InternalError> {
    match place_next(app, id).await {
        Ok(Some((order, payment))) => open_checkout(app, order, payment.as_ref()).await.map(drop),
        Ok(None) => Ok(()),
        Err(error) => {
            tracing::error!(error = error.into_message(), membership = %id.uuid(), "a membership could not be renewed");
            let until = app.clock.now() + AGAIN;
            let postponed = app.db.transaction(async |tx| {
                if is_on_its_way(tx, id).await? {
                    return memberships::bill_later(tx, id, until).await;
                }
                let students = memberships::postpone(tx, app, id, until).await?;
                pay::count_students(tx, students.into_iter().collect()).await
            });
            let Err(error) = postponed.await else { return Ok(()) };
            let error = error.report();
            tracing::error!(error, membership = %id.uuid(), "the access of a membership could not be kept");
            // Otherwise it would be the first one that is due for ever.
            app.db.transaction(async |tx| memberships::bill_later(tx, id, until).await).await
        }
    }
}

/// Whether the money for the next period of a membership is on its way.
async fn is_on_its_way(tx: &mut Tx, id: MembershipId) -> Result<bool, InternalError> {
    match memberships::open_period(tx, id).await? {
        Some(period) => is_processing(tx, period).await,
        None => Ok(false),
    }
}

/// Places the order of the next period, if it is due.
async fn place_next(app: &App, id: MembershipId) -> Result<Option<(Order, Option<Payment>)>, Error> {
    let mut calculations = Calculations::default();
    loop {
        let placed = app.db.transaction(async |tx| order(tx, app, id, &calculations).await).await;
        if let Some(placed) = calculations.after(app, placed).await? {
            return Ok(placed);
        }
    }
}

async fn order(
    tx: &mut Tx,
    app: &App,
    id: MembershipId,
    calculations: &Calculations,
) -> Result<Option<(Order, Option<Payment>)>, Error> {
    let Some(mut held) = memberships::hold(tx, id).await? else { return Ok(None) };
    if held.row.billing_at.is_none_or(|at| at > app.clock.now()) {
        return Ok(None);
    }
    if held.row.subscription_id.is_some() && held.row.status != MembershipStatus::PastDue {
        return Ok(None);
    }
    if is_on_its_way(tx, id).await? {
        // The member is not asked twice, and has access meanwhile (`keep_access`).
        memberships::bill_later(tx, id, app.clock.now() + AGAIN).await?;
        return Ok(None);
    }
    memberships::drop_subscription(tx, app, &mut held).await?;
    if let Some(period) = memberships::open_period(tx, id).await? {
        // Of a change, or an order of the member's: if its money comes after all, it goes back.
        memberships::forsake(tx, period).await?;
        end_order(tx, app, period).await?;
    }
    let (begun, students) = memberships::offer_renewal(tx, app, &mut held).await?;
    let placed = match begun {
        Some(begun) => {
            let country = begun.membership.country.clone();
            Some(place(tx, app, &terms(app, &begun, &country), calculations).await?)
        }
        None => None,
    };
    pay::count_students(tx, students.into_iter().collect()).await?;
    Ok(placed)
}
