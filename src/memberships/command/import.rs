//! Plans of a demo school.

use super::gateway::sync;
use super::plan::create_plan;
use crate::graphql::loaders::Loaders;
use crate::graphql::{Error, Result};
use crate::memberships::model::{CreatePlanInput, Plan, PlanPrice};
use crate::memberships::query::plan as query;
use crate::platform::auth::Actor;

/// Makes a plan as `createPlan` does, and tells the payment providers at once; returns it with its prices. `None` if
/// there is one with the same slug. For the command line.
///
/// # Errors
/// The database failed.
pub async fn import_plan(
    loaders: &Loaders,
    admin: &Actor,
    input: CreatePlanInput,
) -> Result<Option<(Plan, Vec<PlanPrice>)>> {
    let app = loaders.app();
    let plan = match create_plan(loaders, admin, input).await {
        Ok(plan) => plan,
        Err(Error::Invalid(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    sync(app).await?;
    let prices = query::prices_of(&mut *app.db.read().await?, &[plan.id]).await?;
    Ok(Some((plan, prices)))
}
