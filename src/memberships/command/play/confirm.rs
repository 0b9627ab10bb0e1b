//! Confirms purchases.

use super::enroll::{Found, enroll};
use crate::accounts::viewer;
use crate::graphql::Result;
use crate::graphql::error::{Check, UserErrorCode};
use crate::memberships::error;
use crate::memberships::model::{ConfirmPlayPurchaseInput, Membership, Plan, base_order};
use crate::memberships::query::plan as plans;
use crate::platform::App;
use crate::platform::auth::Actor;

/// The longest token, in characters. They have some 150.
const LONGEST_TOKEN: usize = 1000;
const LONGEST_ORDER: usize = 100;
const LONGEST_SLUG: usize = 80;

/// Makes a purchase of the actor's a membership, or brings the membership that it is up to date.
///
/// # Errors
/// The input is invalid; there is no such plan; Google does not know the purchase, knows it as something else, or does
/// not answer; it belongs to another user; the user has such a membership in another way.
pub async fn confirm_play_purchase(app: &App, actor: &Actor, input: ConfirmPlayPurchaseInput) -> Result<Membership> {
    let user = viewer(actor)?;
    let mut check = Check::new();
    let token = check.required("purchaseToken", &input.purchase_token, LONGEST_TOKEN);
    let order = input.order_id.as_deref().map(|id| check.line("orderId", id, LONGEST_ORDER));
    let slug = input.plan_slug.as_deref().map(|slug| check.line("planSlug", slug, LONGEST_SLUG));
    match (input.plan_id, &slug) {
        (None, None) => check.error(UserErrorCode::Blank, "planId", "Give planId or planSlug."),
        (Some(_), Some(_)) => check.error(UserErrorCode::NotAllowed, "planSlug", "Give planId or planSlug, not both."),
        _ => {}
    }
    check.finish()?;
    let play = app.payments.google_play().ok_or_else(error::play_is_off)?;
    let plan = plan_of(app, &input, slug.as_deref()).await?;
    let asked_at = app.clock.now();
    let read = match play.read_subscription(&token).await {
        Ok(read) => read.ok_or_else(error::no_such_purchase)?,
        Err(failed) => {
            tracing::warn!(error = %failed, "a purchase on Google Play could not be confirmed now");
            return Err(error::play_is_away());
        }
    };
    let given = order.as_deref().filter(|order| !order.is_empty()).map(base_order);
    if given.is_some() && given != read.order.as_deref().map(base_order) {
        return Err(error::another_play_order());
    }
    let found = Found { user, token: &token, read: &read, asked_at, plan: Some(plan.id) };
    app.db.transaction(async |tx| enroll(tx, app, &found).await).await
}

async fn plan_of(app: &App, input: &ConfirmPlayPurchaseInput, slug: Option<&str>) -> Result<Plan> {
    let mut conn = app.db.read().await?;
    match (input.plan_id, slug) {
        (Some(id), _) => plans::by_id(&mut conn, id).await?.ok_or_else(error::no_such_plan),
        (None, slug) => plans::by_slug(&mut conn, slug.unwrap_or_default()).await?.ok_or_else(error::no_such_plan_slug),
    }
}
