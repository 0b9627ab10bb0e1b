//! Memberships in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};

use super::plan::{PlanPriceObject, plan_price_node};
use crate::accounts::{UserObject, user_node, viewer};
use crate::entitlements::{EntitlementId, EntitlementObject, entitlement_node};
use crate::graphql::context::{loaders, within};
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::money::Money;
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::{Connection, PageArgs, Result, Scoped, Sequential};
use crate::memberships::loader::{
    MembershipById, MembershipCount, MembershipOf, MembershipPage, OpenPeriodOf, PriceById,
};
use crate::memberships::model::{
    Membership, MembershipFilter, MembershipId, MembershipRenewal, MembershipStatus, MembershipWhich,
};
use crate::memberships::policy;
use crate::orders::{OrderObject, checkout_of_period, orders_of_membership};

const LIST: &str = "memberships";

/// A membership in the schema.
#[derive(Clone)]
pub struct MembershipObject(pub Arc<Membership>);

/// A user's membership of a plan. At most one is live for the same course, category or kind.
#[Object(name = "Membership")]
impl MembershipObject {
    /// The id of the membership.
    async fn id(&self) -> MembershipId {
        self.0.id
    }

    /// The member; of a deleted account only the id is left.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        Ok(user_node(ctx, self.0.user_id).await?.map(Sequential))
    }

    /// The price, with the plan.
    async fn plan_price(&self, ctx: &Context<'_>) -> Result<Option<Sequential<PlanPriceObject>>> {
        Ok(plan_price_node(ctx, self.0.plan_price_id).await?.map(Sequential))
    }

    /// The state.
    async fn status(&self) -> MembershipStatus {
        self.0.status
    }

    /// The states that may come next; empty if this one is final.
    async fn next_statuses(&self) -> Vec<MembershipStatus> {
        self.0.status.next()
    }

    /// When the period that was paid for latest starts; null before the first payment.
    async fn period_starts_at(&self) -> Option<DateTime<Utc>> {
        self.0.period_starts_at
    }

    /// When that period ends; null before the first payment.
    async fn period_ends_at(&self) -> Option<DateTime<Utc>> {
        self.0.period_ends_at
    }

    /// When the next period is charged, or charging it is tried again; null if it is not renewed, and while a payment
    /// is in flight.
    async fn next_billing_at(&self) -> Option<DateTime<Utc>> {
        self.0.billing_at
    }

    /// How the next period is paid; null if it is not renewed.
    async fn renewal(&self) -> Option<MembershipRenewal> {
        self.0.renewal()
    }

    /// The price from the next renewal on; null if it stays.
    async fn pending_plan_price(&self, ctx: &Context<'_>) -> Result<Option<Sequential<PlanPriceObject>>> {
        let Some(id) = self.0.next_price_id else { return Ok(None) };
        Ok(plan_price_node(ctx, id).await?.map(Sequential))
    }

    /// How much less the next periods cost: what was left of earlier ones after a change.
    async fn credit(&self, ctx: &Context<'_>) -> Result<Option<Sequential<Money>>> {
        let price = loaders(ctx).load(PriceById(self.0.plan_price_id)).await?;
        Ok(price.map(|price| Sequential(Money::new(self.0.credit_minor, price.currency))))
    }

    /// When it was paused; null if it is not.
    async fn paused_at(&self) -> Option<DateTime<Utc>> {
        self.0.paused_at
    }

    /// When it was ordered.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it began; null if it was not paid yet.
    async fn started_at(&self) -> Option<DateTime<Utc>> {
        self.0.started_at
    }

    /// When it ended; null if it has not.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }

    /// The access that it gives or gave; null for live classes, and if it was not paid yet.
    async fn entitlement(&self, ctx: &Context<'_>) -> Result<Option<Sequential<EntitlementObject>>> {
        let Some(id) = self.0.entitlement_id else { return Ok(None) };
        Ok(entitlement_node(ctx, id).await?.map(Sequential))
    }

    /// Whether it is paid on Google Play: it is changed, paused and canceled there, and has no orders.
    async fn is_managed_by_google_play(&self) -> bool {
        self.0.is_play
    }

    /// The page of the payment provider on which the open order of the membership is paid: its first, a renewal without
    /// a stored payment, or a change. Null if nothing is to be paid there.
    async fn checkout_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        match loaders(ctx).load(OpenPeriodOf(self.0.id)).await? {
            Some(period) => checkout_of_period(ctx, period).await,
            None => Ok(None),
        }
    }

    /// The orders of the membership, latest first: one for each time that a period was charged.
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<OrderObject>>>> {
        orders_of_membership(ctx, self.0.id, PageArgs { first, after, last, before }).await
    }
}

/// Returns a membership to the member and to administrators.
///
/// # Errors
/// The database failed.
pub async fn membership_node(ctx: &Context<'_>, id: MembershipId) -> Result<Option<MembershipObject>> {
    let viewer = within(ctx, Scope::ReadOrders);
    let row = loaders(ctx).load(MembershipById(id)).await?;
    Ok(row.filter(|row| policy::can_see(viewer, row.user_id)).map(MembershipObject))
}

/// Returns the membership that an access is a part of, to the member and to administrators.
///
/// # Errors
/// The database failed.
pub(crate) async fn membership_of_entitlement(
    ctx: &Context<'_>,
    entitlement: EntitlementId,
) -> Result<Option<Sequential<MembershipObject>>> {
    let Some(id) = loaders(ctx).load(MembershipOf(entitlement)).await? else { return Ok(None) };
    Ok(membership_node(ctx, id).await?.map(Sequential))
}

/// The memberships of the viewer.
#[derive(Default)]
pub(super) struct ViewerMemberships;

#[Object]
impl ViewerMemberships {
    /// The user's memberships, latest first.
    #[graphql(
        guard = "Scoped(Role::Student, Scope::ReadOrders)",
        directive = scoped::apply(Role::Student, Scope::ReadOrders)
    )]
    #[allow(clippy::too_many_arguments)]
    async fn memberships(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which memberships to return; defaults to all.")] filter: Option<MembershipFilter>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<MembershipObject>>>> {
        let user = viewer(within(ctx, Scope::ReadOrders))?;
        let which = MembershipWhich { user, statuses: filter.unwrap_or_default().statuses };
        let page = PageArgs { first, after, last, before }.timed_page(LIST)?;
        let rows = loaders(ctx).load(MembershipPage(which.clone(), page.clone())).await?.unwrap_or_default();
        let cursor = |MembershipObject(row): &MembershipObject| {
            encode_cursor(LIST, &(row.created_at.timestamp_micros(), row.id.uuid()))
        };
        let connection = page.connection(rows, MembershipObject, cursor);
        if !wants_total(ctx) {
            return Ok(Some(Sequential(connection)));
        }
        let total = loaders(ctx).load(MembershipCount(which)).await?.unwrap_or_default();
        Ok(Some(Sequential(connection.with_total(total))))
    }
}
