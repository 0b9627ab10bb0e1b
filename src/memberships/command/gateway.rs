//! Tells the payment providers of plans.

use chrono::TimeDelta;
use futures_util::stream::{self, StreamExt};

use crate::memberships::model::{Plan, PlanGateway, PlanPrice, PlanStatus};
use crate::memberships::query::plan as query;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::payments::{self, GatewayError, GatewayPlan};

/// The job that tells the providers of a plan at once.
pub(crate) const SYNC: &str = "memberships.sync";

/// The number of calls at a time.
const IN_FLIGHT: usize = 4;
/// The longest time between two attempts.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(6);
/// The longest error that is kept, in characters.
const LONGEST_ERROR: usize = 500;

/// Creates prices at the providers, also at those that were set up after the prices, and retires them there, as far as
/// that is due. What fails is tried again: after a
/// minute, two, four and so on, and at last every six hours.
///
/// # Errors
/// The database failed.
pub async fn sync(app: &App) -> Result<(), InternalError> {
    let providers = app.payments.available();
    app.db.transaction(async |tx| query::add_gateways(tx, &providers, app.clock.now()).await).await?;
    let due = query::due_gateways(&mut *app.db.read().await?, app.clock.now()).await?;
    let mut told = stream::iter(due).map(|due| tell(app, due)).buffer_unordered(IN_FLIGHT);
    while let Some(outcome) = told.next().await {
        outcome?;
    }
    Ok(())
}

async fn tell(app: &App, (row, price, plan): (PlanGateway, PlanPrice, Plan)) -> Result<(), InternalError> {
    // Others were told before, and it may have been read from a replica: what is retired by now must not be created.
    let read = app.db.transaction(async |tx| Ok::<_, InternalError>(query::is_to_be_told(tx, &row).await?));
    if !read.await? {
        return Ok(());
    }
    let outcome = match row.status {
        PlanStatus::Retiring | PlanStatus::Retired => retire(app, &row).await,
        PlanStatus::Pending | PlanStatus::Failed | PlanStatus::Active => create(app, &row, &price, &plan).await,
    };
    app.db
        .transaction(async |tx| {
            match &outcome {
                Ok((status, external_id)) => query::set_told(tx, &row, (*status, external_id.as_deref())).await?,
                Err(error) => {
                    let status = match (row.status, error) {
                        (PlanStatus::Pending, GatewayError::Refused(_)) => PlanStatus::Failed,
                        (status, _) => status,
                    };
                    let why: String = error.to_string().chars().take(LONGEST_ERROR).collect();
                    let at = app.clock.now() + wait_after(row.attempts);
                    query::set_failed(tx, &row, (status, &why), at).await?
                }
            };
            Ok(())
        })
        .await
}

async fn create(
    app: &App,
    row: &PlanGateway,
    price: &PlanPrice,
    plan: &Plan,
) -> Result<(PlanStatus, Option<String>), GatewayError> {
    let new = GatewayPlan {
        reference: price.id.uuid().to_string(),
        title: plan.name.clone(),
        amount_minor: price.amount_minor,
        currency: price.currency.code().to_owned(),
        interval_months: price.billing_interval.months(),
    };
    let id = payments::create_plan(app, row.provider, &new).await?;
    Ok((PlanStatus::Active, Some(id)))
}

async fn retire(app: &App, row: &PlanGateway) -> Result<(PlanStatus, Option<String>), GatewayError> {
    // By our own reference, also if the answer to its creation was lost.
    payments::retire_plan(app, row.provider, &row.plan_price_id.uuid().to_string(), row.external_id.as_deref()).await?;
    Ok((PlanStatus::Retired, row.external_id.clone()))
}

/// How long to wait after so many attempts that have failed.
pub(crate) fn wait_after(attempts: i32) -> TimeDelta {
    TimeDelta::minutes(1 << attempts.clamp(0, 10)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_waits_longer_and_longer_and_six_hours_at_most() {
        for (attempts, minutes) in [(0, 1), (1, 2), (5, 32), (9, 360), (i32::MAX, 360)] {
            assert_eq!(wait_after(attempts), TimeDelta::minutes(minutes), "{attempts}");
        }
    }
}
