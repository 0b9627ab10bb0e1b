//! The mutations of plans.

use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use super::plan::{PlanObject, PlanPriceObject};
use crate::graphql::context::{actor, app, client, loaders};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, requires};
use crate::graphql::{Requires, Result, Sequential, UserError};
use crate::memberships::command;
use crate::memberships::model::{
    ArchivePlanInput, CreatePlanInput, Plan, SetPlanPriceInput, SetPlayProductInput, UpdatePlanInput,
};

// Markers: each mutation has a payload type of its own in the schema, which is named after it.
struct Create;
struct Update;
struct Archive;

/// The payload of a mutation of a plan.
#[derive(SimpleObject)]
#[graphql(concrete(name = "CreatePlanPayload", params(Create)))]
#[graphql(concrete(name = "UpdatePlanPayload", params(Update)))]
#[graphql(concrete(name = "ArchivePlanPayload", params(Archive)))]
struct PlanPayload<M: Send + Sync> {
    /// The plan; null if there are `userErrors`.
    plan: Option<Sequential<PlanObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// The payload of `setPlanPrice`.
#[derive(SimpleObject)]
struct SetPlanPricePayload {
    /// The plan; null if there are `userErrors`.
    plan: Option<Sequential<PlanObject>>,
    /// The price that is sold now; null if there are `userErrors`.
    plan_price: Option<Sequential<PlanPriceObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `setPlayProduct`.
#[derive(SimpleObject)]
struct SetPlayProductPayload {
    /// The price; null if there are `userErrors`.
    plan_price: Option<Sequential<PlanPriceObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The mutations of plans.
#[derive(Default)]
pub(super) struct PlanMutation;

#[Object]
impl PlanMutation {
    /// Makes a plan; instructors may make plans for courses that they may edit, administrators any. The payment
    /// providers are told in the background: the plan is PENDING until they know it.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn create_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The plan and its prices.")] input: CreatePlanInput,
    ) -> Result<Option<Sequential<PlanPayload<Create>>>> {
        answer(command::create_plan(loaders(ctx), actor(ctx), input).await)
    }

    /// Changes what a plan is called and gives. Prices are changed by `setPlanPrice`.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn update_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The plan and its new values.")] input: UpdatePlanInput,
    ) -> Result<Option<Sequential<PlanPayload<Update>>>> {
        answer(command::update_plan(loaders(ctx), actor(ctx), input).await)
    }

    /// Sets the price of a plan for an interval and a currency. It is a new version: the one before is retired, and its
    /// members keep it unless `movesMembers` is set. The same price again is no new version.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn set_plan_price(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The plan and the price.")] input: SetPlanPriceInput,
    ) -> Result<Option<Sequential<SetPlanPricePayload>>> {
        let (made, user_errors) = payload(command::set_plan_price(loaders(ctx), actor(ctx), input).await)?;
        let (plan, price) = made.unzip();
        Ok(Some(Sequential(SetPlanPricePayload {
            plan: plan.map(|row| Sequential(PlanObject(Arc::new(row)))),
            plan_price: price.map(|row| Sequential(PlanPriceObject(Arc::new(row)))),
            user_errors,
        })))
    }

    /// Sets which product on Google Play a price is, so that its purchases become memberships (`confirmPlayPurchase`).
    /// A new version of the price is the same product. The audit trail records it.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn set_play_product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The price and the product.")] input: SetPlayProductInput,
    ) -> Result<Option<Sequential<SetPlayProductPayload>>> {
        let (row, user_errors) = payload(command::set_play_product(app(ctx), actor(ctx), client(ctx), input).await)?;
        let plan_price = row.map(|row| Sequential(PlanPriceObject(Arc::new(row))));
        Ok(Some(Sequential(SetPlayProductPayload { plan_price, user_errors })))
    }

    /// Archives a plan: it is not sold anymore, its members stay until their periods end, and it is retired at the
    /// payment providers in the background. So does archiving or deleting its course or category.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn archive_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The plan to archive.")] input: ArchivePlanInput,
    ) -> Result<Option<Sequential<PlanPayload<Archive>>>> {
        answer(command::archive_plan(loaders(ctx), actor(ctx), input).await)
    }
}

fn answer<M: Send + Sync>(outcome: Result<Plan>) -> Result<Option<Sequential<PlanPayload<M>>>> {
    let (row, user_errors) = payload(outcome)?;
    let plan = row.map(|row| Sequential(PlanObject(Arc::new(row))));
    Ok(Some(Sequential(PlanPayload { plan, user_errors, mutation: PhantomData })))
}
