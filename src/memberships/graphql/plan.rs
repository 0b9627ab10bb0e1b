//! Plans and their prices in the schema.

use std::cmp::Reverse;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::catalog::{CategoryId, CategoryObject, CourseId, CourseObject, category_node, course_node};
use crate::graphql::context::{loaders, within};
use crate::graphql::guard::{Role, Scope, owned, public};
use crate::graphql::money::Money;
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::sequential::SequentialList;
use crate::graphql::{Connection, Error, PageArgs, Result, Sequential, page};
use crate::memberships::command::manages;
use crate::memberships::loader::{
    GatewaysOf, PlanById, PlanCount, PlanPage, PlansOfCategory, PlansOfCourse, PlayProductOf, PriceById, PriceOfPeriod,
    PricesOf,
};
use crate::memberships::model::{
    BillingInterval, PeriodId, Plan, PlanFilter, PlanGateway, PlanId, PlanKind, PlanPrice, PlanPriceId, PlanStatus,
    PlanWhich, PlayProduct, hours_of, status_of,
};
use crate::memberships::policy;
use crate::platform::auth;
use crate::platform::payments::Provider;

const LIST: &str = "plans";

/// A plan in the schema.
#[derive(Clone)]
pub struct PlanObject(pub(super) Arc<Plan>);

/// What a membership is for.
#[Object(name = "Plan")]
impl PlanObject {
    /// The id of the plan.
    async fn id(&self) -> PlanId {
        self.0.id
    }

    /// The URL slug.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The description, plain text; may be empty.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// What it gives.
    async fn kind(&self) -> PlanKind {
        self.0.kind
    }

    /// The course that it gives access to; null for other kinds, and if the viewer may not see it.
    async fn course(&self, ctx: &Context<'_>) -> Result<Option<Sequential<CourseObject>>> {
        let Some(id) = self.0.course_id else { return Ok(None) };
        Ok(course_node(ctx, id).await?.map(Sequential))
    }

    /// The category that it gives access to, with its subcategories and courses that are added later; null for other
    /// kinds.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Sequential<CategoryObject>>> {
        let Some(id) = self.0.category_id else { return Ok(None) };
        Ok(category_node(ctx, id).await?.map(Sequential))
    }

    /// The hours of live classes per calendar month; null for other kinds.
    async fn live_hours_per_month(&self) -> Option<Decimal> {
        self.0.live_minutes_per_month.map(hours_of)
    }

    /// How many of these hours at most count in the next month if they are left, and only in that; null for none.
    async fn rollover_hours(&self) -> Option<Decimal> {
        self.0.rollover_minutes.map(hours_of)
    }

    /// How many extra hours members may buy for a month at most, by an order; null if none are sold.
    async fn max_extra_hours(&self) -> Option<i16> {
        self.0.max_extra_hours
    }

    /// How many users beside the member may share the hours of a membership; null for none.
    async fn family_size(&self) -> Option<i32> {
        self.0.family_size
    }

    /// How many of the hours each of these users can use a month at most; null for no limit of their own.
    async fn family_member_hours(&self) -> Option<Decimal> {
        self.0.family_member_minutes.map(hours_of)
    }

    /// When on the last day of a period the next one is charged: a cron expression in the school's time zone; null for
    /// the end of the period.
    async fn renewal_cron(&self) -> Option<&str> {
        self.0.renewal_cron.as_deref()
    }

    /// Whether the plan is ready at the payment providers. While it is PENDING or FAILED, it cannot be bought there.
    async fn status(&self, ctx: &Context<'_>) -> Result<PlanStatus> {
        let (prices, gateways) =
            tokio::try_join!(loaders(ctx).load(PricesOf(self.0.id)), loaders(ctx).load(GatewaysOf(self.0.id)))?;
        let prices: Vec<PlanPrice> = prices.iter().flat_map(|rows| rows.iter().map(|row| (**row).clone())).collect();
        Ok(status_of(&self.0, &prices, &gateways.unwrap_or_default()))
    }

    /// When the plan was archived; null while it is sold.
    async fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.0.archived_at
    }

    /// The current prices, at most one for an interval and a currency.
    async fn prices(&self, ctx: &Context<'_>) -> Result<SequentialList<PlanPriceObject>> {
        let rows = loaders(ctx).load(PricesOf(self.0.id)).await?.unwrap_or_default();
        let current = rows.iter().filter(|row| row.retired_at.is_none());
        Ok(SequentialList(current.cloned().map(PlanPriceObject).collect()))
    }

    /// What the payment providers know of each price, retired ones included. Visible to administrators, and to the team
    /// of the plan's course.
    #[graphql(directive = owned::apply(Role::Admin, Some(Scope::ReadOrders)))]
    async fn gateways(&self, ctx: &Context<'_>) -> Result<Option<SequentialList<PlanGatewayObject>>> {
        if !manages(loaders(ctx), within(ctx, Scope::ReadOrders), &self.0).await? {
            return Err(Error::Forbidden("Only those who manage the plan see this.".into()));
        }
        let (prices, rows) =
            tokio::try_join!(loaders(ctx).load(PricesOf(self.0.id)), loaders(ctx).load(GatewaysOf(self.0.id)))?;
        let (prices, rows) = (prices.unwrap_or_default(), rows.unwrap_or_default());
        let object = |row: &PlanGateway| {
            let price = prices.iter().find(|price| price.id == row.plan_price_id)?;
            Some(PlanGatewayObject::new(row, price.clone()))
        };
        Ok(Some(SequentialList(rows.iter().filter_map(object).collect())))
    }
}

/// What a payment provider knows of a price of a plan.
#[derive(Clone, SimpleObject)]
#[graphql(name = "PlanGateway")]
pub(super) struct PlanGatewayObject {
    /// The provider.
    provider: Provider,
    /// The price.
    plan_price: Sequential<PlanPriceObject>,
    /// Whether it is ready there.
    status: PlanStatus,
    /// The provider's id; null until it was created there.
    external_id: Option<String>,
    /// Why the latest attempt has failed; null if it has not. It is tried again by itself.
    last_error: Option<String>,
}

impl PlanGatewayObject {
    fn new(row: &PlanGateway, price: Arc<PlanPrice>) -> PlanGatewayObject {
        PlanGatewayObject {
            provider: row.provider,
            plan_price: Sequential(PlanPriceObject(price)),
            status: row.status,
            external_id: row.external_id.clone(),
            last_error: row.last_error.clone(),
        }
    }
}

/// A price of a plan in the schema.
#[derive(Clone)]
pub struct PlanPriceObject(pub Arc<PlanPrice>);

/// A version of a plan's price for an interval and a currency. It never changes: an edit makes a new version, and members
/// keep theirs.
#[Object(name = "PlanPrice")]
impl PlanPriceObject {
    /// The id of the price: the `planPriceId` of an order.
    async fn id(&self) -> PlanPriceId {
        self.0.id
    }

    /// The plan.
    async fn plan(&self, ctx: &Context<'_>) -> Result<Option<Sequential<PlanObject>>> {
        let row = loaders(ctx).load(PlanById(self.0.plan_id)).await?;
        Ok(row.map(|row| Sequential(PlanObject(row))))
    }

    /// The amount for an interval.
    async fn amount(&self) -> Sequential<Money> {
        Sequential(self.0.amount())
    }

    /// How often it is charged.
    async fn interval(&self) -> BillingInterval {
        self.0.billing_interval
    }

    /// The number of days that are free for users who were no members for the same before.
    async fn trial_days(&self) -> i16 {
        self.0.trial_days
    }

    /// What an extra hour of live classes costs members at this price; null if none are sold. The plan says how many
    /// they may buy for a month.
    async fn extra_hour_amount(&self) -> Option<Sequential<Money>> {
        let minor = self.0.extra_hour_minor?;
        Some(Sequential(Money::new(minor, self.0.currency)))
    }

    /// When the price was retired; null while it is sold. Its members keep it.
    async fn retired_at(&self) -> Option<DateTime<Utc>> {
        self.0.retired_at
    }

    /// What an app sells it as on Google Play; null if it is not sold there.
    async fn play_product(&self, ctx: &Context<'_>) -> Result<Option<Sequential<PlayProductObject>>> {
        let row = loaders(ctx).load(PlayProductOf(self.0.id)).await?;
        Ok(row.map(|row| Sequential(PlayProductObject::new(&row))))
    }
}

/// A product on Google Play.
#[derive(Clone, SimpleObject)]
#[graphql(name = "PlayProduct")]
pub(super) struct PlayProductObject {
    /// The id of the subscription.
    product_id: String,
    /// The id of its base plan; null for a subscription from before base plans.
    base_plan_id: Option<String>,
}

impl PlayProductObject {
    fn new(row: &PlayProduct) -> PlayProductObject {
        let base_plan_id = Some(row.base_plan.clone()).filter(|id| !id.is_empty());
        PlayProductObject { product_id: row.product.clone(), base_plan_id }
    }
}

/// Returns a plan to those who may see it.
pub async fn plan_node(ctx: &Context<'_>, id: PlanId) -> Result<Option<PlanObject>> {
    let Some(row) = loaders(ctx).load(PlanById(id)).await? else { return Ok(None) };
    let manages = row.archived_at.is_some() && manages(loaders(ctx), within(ctx, Scope::ReadOrders), &row).await?;
    Ok(policy::can_see_plan(&row, manages).then_some(PlanObject(row)))
}

/// Returns a price of a plan, current or retired.
///
/// # Errors
/// The database failed.
pub async fn plan_price_node(ctx: &Context<'_>, id: PlanPriceId) -> Result<Option<PlanPriceObject>> {
    Ok(loaders(ctx).load(PriceById(id)).await?.map(PlanPriceObject))
}

/// Returns the price at which a period of a membership is charged. The caller has checked that the viewer may see it.
///
/// # Errors
/// The database failed.
pub(crate) async fn plan_price_of_period(
    ctx: &Context<'_>,
    period: PeriodId,
) -> Result<Option<Sequential<PlanPriceObject>>> {
    let Some(id) = loaders(ctx).load(PriceOfPeriod(period)).await? else { return Ok(None) };
    Ok(plan_price_node(ctx, id).await?.map(Sequential))
}

/// Returns a page of the plans for a course that are sold, latest first.
///
/// # Errors
/// An argument is invalid; the database failed.
pub(crate) async fn plans_of_course(
    ctx: &Context<'_>,
    course: CourseId,
    args: PageArgs,
) -> Result<Sequential<Connection<PlanObject>>> {
    sold(loaders(ctx).load(PlansOfCourse(course)).await?, args)
}

/// Returns a page of the plans for a category that are sold, latest first.
///
/// # Errors
/// An argument is invalid; the database failed.
pub(crate) async fn plans_of_category(
    ctx: &Context<'_>,
    category: CategoryId,
    args: PageArgs,
) -> Result<Sequential<Connection<PlanObject>>> {
    sold(loaders(ctx).load(PlansOfCategory(category)).await?, args)
}

fn sold(rows: Option<Arc<Vec<Arc<Plan>>>>, args: PageArgs) -> Result<Sequential<Connection<PlanObject>>> {
    let rows = rows.unwrap_or_default();
    let plans = rows.iter().cloned().map(PlanObject).collect();
    let place = |PlanObject(row): &PlanObject| Reverse((row.created_at.timestamp_micros(), row.id.uuid()));
    Ok(Sequential(page::slice(args, LIST, plans, place)?))
}

/// The list of plans.
#[derive(Default)]
pub(super) struct PlanQuery;

#[Object]
impl PlanQuery {
    /// The plans that are sold, latest first; administrators see archived ones, too.
    #[graphql(directive = public::apply())]
    #[allow(clippy::too_many_arguments)]
    async fn plans(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which plans to return; defaults to all that the viewer may see.")] filter: Option<PlanFilter>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<Connection<PlanObject>>> {
        let page = PageArgs { first, after, last, before }.timed_page(LIST)?;
        let filter = filter.unwrap_or_default();
        let sees_all = within(ctx, Scope::ReadOrders).has(auth::Role::Admin);
        let which = PlanWhich {
            kinds: filter.kinds,
            course: filter.course_id,
            category: filter.category_id,
            slug: filter.slug,
            is_archived: if sees_all { filter.is_archived } else { Some(false) },
        };
        if !sees_all && filter.is_archived == Some(true) {
            return Err(Error::Forbidden("Only administrators list archived plans.".into()));
        }
        let rows = loaders(ctx).load(PlanPage(which.clone(), page.clone())).await?.unwrap_or_default();
        let cursor =
            |PlanObject(row): &PlanObject| encode_cursor(LIST, &(row.created_at.timestamp_micros(), row.id.uuid()));
        let connection = page.connection(rows, PlanObject, cursor);
        if !wants_total(ctx) {
            return Ok(Sequential(connection));
        }
        let total = loaders(ctx).load(PlanCount(which)).await?.unwrap_or_default();
        Ok(Sequential(connection.with_total(total)))
    }
}
