//! The viewer's memberships, for the export of their data.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::accounts::viewer;
use crate::graphql::Result;
use crate::graphql::export::{FETCH, items};
use crate::memberships::model::{Membership, Plan, PlanId};
use crate::memberships::query::{membership, plan};
use crate::platform::App;
use crate::platform::auth::Actor;

/// Returns the viewer's memberships, for the export of their data.
///
/// # Errors
/// The actor is not signed in.
pub async fn my_data(app: &App, actor: &Actor) -> Result<Value> {
    let (user, mut conn) = (viewer(actor)?, app.db.read().await?);
    let rows = membership::latest_of(&mut conn, user, FETCH).await?;
    let ids: Vec<PlanId> = rows.iter().map(|row| row.plan_id).collect();
    let plans: HashMap<PlanId, Plan> =
        plan::by_ids(&mut conn, &ids).await?.into_iter().map(|plan| (plan.id, plan)).collect();
    drop(conn);
    let row = |row: Membership| {
        json!({
            "id": row.id.encode(),
            "plan": plans.get(&row.plan_id).map(|plan| plan.name.clone()),
            "status": row.status,
            "country": row.country,
            "periodStartsAt": row.period_starts_at,
            "periodEndsAt": row.period_ends_at,
            "nextBillingAt": row.billing_at,
            "createdAt": row.created_at,
            "startedAt": row.started_at,
            "endedAt": row.ended_at,
        })
    };
    Ok(json!({ "memberships": items(rows.into_iter().map(row)) }))
}
