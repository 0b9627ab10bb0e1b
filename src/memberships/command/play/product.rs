//! Which product on Google Play a price is.

use serde_json::json;

use crate::graphql::error::Check;
use crate::graphql::{Error, Result};
use crate::memberships::command::plan::sold;
use crate::memberships::model::{PlanPrice, PlayProduct, SetPlayProductInput};
use crate::memberships::query::{plan as plans, play as query};
use crate::memberships::{error, policy};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client};
use crate::platform::db::is_taken;

const LONGEST_ID: usize = 150;

/// Sets which product on Google Play a price is, or that it is none.
///
/// # Errors
/// The input is invalid; the actor is not an administrator; the price is not sold; another price is this product.
pub async fn set_play_product(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: SetPlayProductInput,
) -> Result<PlanPrice> {
    if !policy::can_manage(actor, false) {
        return Err(error::only_administrators());
    }
    let mut check = Check::new();
    let product = check_id(&mut check, "productId", &input.product_id);
    let base_plan = check_id(&mut check, "basePlanId", input.base_plan_id.as_deref().unwrap_or_default());
    if product.is_empty() && !base_plan.is_empty() {
        check.required("productId", &product, LONGEST_ID);
    }
    check.finish()?;
    app.db
        .transaction(async |tx| {
            let (_, plan) = sold(tx, input.plan_price_id, None).await?;
            plans::lock(tx, plan.id).await?;
            // Read again: it may have been replaced before the lock.
            let (price, _) = sold(tx, input.plan_price_id, None).await?;
            if product.is_empty() {
                query::remove_products(tx, &[price.id]).await?;
            } else {
                let (product, base_plan) = (product.clone(), base_plan.clone());
                let set = query::set_product(tx, &PlayProduct { plan_price_id: price.id, product, base_plan }).await;
                set.map_err(|failed| match is_taken(&failed, "play_products_product") {
                    true => error::play_product_taken(),
                    false => failed.into(),
                })?;
            }
            let named = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            let details = json!({
                "planPriceId": price.id.encode(),
                "productId": named(&product),
                "basePlanId": named(&base_plan),
            });
            let entry = Entry { action: Action::PlayProductChanged, actor: actor.id(), subject: None, client, details };
            audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await?;
            Ok::<_, Error>(price)
        })
        .await
}

/// Checks an id of Google's; it may be empty.
fn check_id(check: &mut Check, field: &str, id: &str) -> String {
    let id = check.line(field, id, LONGEST_ID);
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
        check.malformed(
            field,
            &id,
            "is not an id on Google Play; it has letters, digits, dots, hyphens and underscores",
        );
    }
    id
}
