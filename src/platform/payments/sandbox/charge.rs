//! What the sandbox does for memberships: it keeps plans, and charges what was paid once again, without a page.

use diesel::prelude::*;
use uuid::Uuid;

use super::{Sandbox, SandboxCheckout, by_reference, event, known, send};
use crate::platform::App;
use crate::platform::db::schema::sandbox_checkouts;
use crate::platform::db::{RunQueryDsl, Tx};
use crate::platform::internal_error::InternalError;
use crate::platform::payments::{GatewayError, GatewayFact, GatewayPlan, Known, NewCharge};

impl Sandbox {
    pub(in crate::payments) async fn charge(&self, app: &App, new: &NewCharge) -> Result<Known, GatewayError> {
        self.reach()?;
        let id: Uuid =
            new.authorization.parse().map_err(|_| GatewayError::Refused("there is no such payment".into()))?;
        let row = app.db.transaction(async |tx| charge(tx, app, new, id).await).await?;
        self.answer(known(row.ok_or_else(|| GatewayError::Refused("there is no such payment".into()))?))
    }

    pub(in crate::payments) fn create_plan(&self, new: &GatewayPlan) -> Result<String, GatewayError> {
        self.reach()?;
        if new.amount_minor <= 0 || new.interval_months == 0 {
            return Err(GatewayError::Refused("a plan costs more than nothing, for a month or more".into()));
        }
        self.answer(plan_id(&new.reference))
    }

    pub(in crate::payments) fn retire_plan(
        &self,
        reference: &str,
        external_id: Option<&str>,
    ) -> Result<(), GatewayError> {
        self.reach()?;
        if external_id.is_some_and(|id| id != plan_id(reference)) {
            return Err(GatewayError::Refused("there is no such plan".into()));
        }
        self.answer(())
    }
}

/// The sandbox's id of a price of a plan. It keeps no plans: whatever has the id is one.
fn plan_id(reference: &str) -> String {
    format!("sandbox_plan_{reference}")
}

/// Charges an earlier payment again, unless that was done; `None` if there is no such payment. It is a checkout without a
/// page, about which webhooks are sent as well.
async fn charge(
    tx: &mut Tx,
    app: &App,
    new: &NewCharge,
    authorization: Uuid,
) -> Result<Option<SandboxCheckout>, InternalError> {
    let paid = sandbox_checkouts::table.find(authorization).filter(sandbox_checkouts::state.eq("PAID"));
    let paid = paid.select(SandboxCheckout::as_select()).for_no_key_update().first(tx.conn()).await.optional()?;
    let Some(paid) = paid else { return Ok(None) };
    let made = by_reference(tx.conn(), &new.reference).await?;
    if made.is_some() {
        return Ok(made);
    }
    let row: SandboxCheckout = diesel::insert_into(sandbox_checkouts::table)
        .values((
            sandbox_checkouts::id.eq(app.clock.uuid()),
            sandbox_checkouts::reference.eq(&new.reference),
            sandbox_checkouts::title.eq(&new.title),
            sandbox_checkouts::amount_minor.eq(new.amount_minor),
            sandbox_checkouts::currency.eq(&new.currency),
            sandbox_checkouts::state.eq(if paid.declines { "FAILED" } else { "PAID" }),
            sandbox_checkouts::created_at.eq(app.clock.now()),
            sandbox_checkouts::authorization_id.eq(authorization),
        ))
        .returning(SandboxCheckout::as_returning())
        .get_result(tx.conn())
        .await?;
    let fact = if paid.declines { GatewayFact::Failed } else { GatewayFact::Paid };
    let told = event(app, &row, fact)?;
    send(tx, app, vec![(told, app.clock.now())]).await?;
    Ok(Some(row))
}
