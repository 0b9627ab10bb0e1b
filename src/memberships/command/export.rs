//! The viewer's memberships and purchases on Google Play, for the export of their data.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::accounts::viewer;
use crate::graphql::export::{FETCH, items};
use crate::graphql::{Result, YearMonth};
use crate::memberships::model::{ExtraHours, Membership, Plan, PlanId, PlayPurchase};
use crate::memberships::query::{extra, family, membership, plan, play};
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
    let joined = family::member(&mut conn, user).await?;
    let stays = family::latest_stays(&mut conn, user, FETCH).await?;
    let purchases = play::latest_of(&mut conn, user, FETCH).await?;
    let hours = extra::latest_of(&mut conn, user, FETCH).await?;
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
    // Without the token, which is a secret of the app.
    let purchase = |row: PlayPurchase| {
        json!({
            "membershipId": row.membership_id.encode(),
            "productId": row.product,
            "basePlanId": row.base_plan,
            "orderId": row.google_order,
            "state": row.state.as_str(),
            "expiresAt": row.expires_at,
            "createdAt": row.created_at,
        })
    };
    let extra = |row: ExtraHours| {
        json!({
            "month": YearMonth::of_day(row.month).to_string(),
            "hours": row.minutes / 60,
            "state": row.state.as_str(),
            "createdAt": row.created_at,
        })
    };
    Ok(json!({
        "memberships": items(rows.into_iter().map(row)),
        // Whose family it is, is the other one's data.
        "family": joined.map(|row| json!({ "joinedAt": row.joined_at })),
        "familyStays": items(stays.into_iter().map(|(joined, left)| json!({ "joinedAt": joined, "leftAt": left }))),
        "playPurchases": items(purchases.into_iter().map(purchase)),
        "extraHours": items(hours.into_iter().map(extra)),
    }))
}
