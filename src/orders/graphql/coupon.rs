//! Coupons in the schema, for administrators.

use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;

use crate::catalog::{CategoryObject, CourseObject, category_node, course_node};
use crate::graphql::context::{actor, app, client, loaders, within};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, requires, scoped};
use crate::graphql::money::Money;
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::sequential::SequentialList;
use crate::graphql::{Connection, PageArgs, Requires, Result, Scoped, Sequential, UserError};
use crate::memberships::{PlanObject, plan_node};
use crate::orders::loader::{CouponById, CouponCount, CouponPage, ScopeOf, UsesOf};
use crate::orders::model::{ArchiveCouponInput, Coupon, CouponId, CreateCouponInput, UpdateCouponInput};
use crate::orders::{command, policy};

const LIST: &str = "coupons";

/// A coupon in the schema.
#[derive(Clone)]
pub(super) struct CouponObject(Arc<Coupon>);

/// A code that makes orders cheaper. Only administrators see coupons; buyers enter the code.
#[Object(name = "Coupon")]
impl CouponObject {
    /// The id of the coupon.
    async fn id(&self) -> CouponId {
        self.0.id
    }

    /// What buyers enter, in capital letters.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// How many percent it takes off; null if it takes off an amount.
    async fn percent(&self) -> Option<i16> {
        self.0.percent
    }

    /// The amount that it takes off; null if it takes off percents.
    async fn amount(&self) -> Option<Sequential<Money>> {
        let (amount, currency) = (self.0.amount_minor?, self.0.currency?);
        Some(Sequential(Money::new(amount, currency)))
    }

    /// The courses that it is for, at most 100. Without courses, categories and plans, it is for all courses and plans.
    async fn courses(&self, ctx: &Context<'_>) -> Result<SequentialList<CourseObject>> {
        let scope = loaders(ctx).load(ScopeOf(self.0.id)).await?.unwrap_or_default();
        let found = try_join_all(scope.courses.iter().map(|id| course_node(ctx, *id))).await?;
        Ok(SequentialList(found.into_iter().flatten().collect()))
    }

    /// The categories whose courses it is for, with those of their subcategories, at most 100.
    async fn categories(&self, ctx: &Context<'_>) -> Result<SequentialList<CategoryObject>> {
        let scope = loaders(ctx).load(ScopeOf(self.0.id)).await?.unwrap_or_default();
        let found = try_join_all(scope.categories.iter().map(|id| category_node(ctx, *id))).await?;
        Ok(SequentialList(found.into_iter().flatten().collect()))
    }

    /// The plans that it is for, at most 100: the first period of a membership is cheaper.
    async fn plans(&self, ctx: &Context<'_>) -> Result<SequentialList<PlanObject>> {
        let scope = loaders(ctx).load(ScopeOf(self.0.id)).await?.unwrap_or_default();
        let found = try_join_all(scope.plans.iter().map(|id| plan_node(ctx, *id))).await?;
        Ok(SequentialList(found.into_iter().flatten().collect()))
    }

    /// From when on it is valid; null for at once.
    async fn starts_at(&self) -> Option<DateTime<Utc>> {
        self.0.starts_at
    }

    /// Until when it is valid; null for no end.
    async fn ends_at(&self) -> Option<DateTime<Utc>> {
        self.0.ends_at
    }

    /// The number of orders with it that are paid or wait for their payment.
    async fn used_count(&self, ctx: &Context<'_>) -> Result<i64> {
        Ok(loaders(ctx).load(UsesOf(self.0.id)).await?.unwrap_or_default())
    }

    /// The maximum number of orders with it; null for no limit.
    async fn max_uses(&self) -> Option<i32> {
        self.0.max_uses
    }

    /// The maximum number of orders of a user with it; null for no limit.
    async fn max_uses_per_user(&self) -> Option<i32> {
        self.0.max_uses_per_user
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was archived; null while it is valid.
    async fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.0.archived_at
    }
}

/// Returns a coupon to administrators.
pub(super) async fn coupon_node(ctx: &Context<'_>, id: CouponId) -> Result<Option<CouponObject>> {
    if !policy::can_manage(within(ctx, Scope::ReadOrders)) {
        return Ok(None);
    }
    Ok(loaders(ctx).load(CouponById(id)).await?.map(CouponObject))
}

/// A filter for coupons. Omitted fields restrict nothing.
#[derive(Clone, Debug, Default, InputObject)]
pub(super) struct CouponFilter {
    /// Only archived coupons, or only those that are not.
    is_archived: Option<bool>,
}

/// The list of coupons.
#[derive(Default)]
pub(super) struct CouponQuery;

#[Object]
impl CouponQuery {
    /// All coupons, latest first.
    #[graphql(
        guard = "Scoped(Role::Admin, Scope::ReadOrders)",
        directive = scoped::apply(Role::Admin, Scope::ReadOrders)
    )]
    #[allow(clippy::too_many_arguments)]
    async fn coupons(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which coupons to return; defaults to all.")] filter: Option<CouponFilter>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<CouponObject>>>> {
        let page = PageArgs { first, after, last, before }.timed_page(LIST)?;
        let is_archived = filter.unwrap_or_default().is_archived;
        let rows = loaders(ctx).load(CouponPage(is_archived, page.clone())).await?.unwrap_or_default();
        let connection = page.connection(rows, CouponObject, |CouponObject(row)| {
            encode_cursor(LIST, &(row.created_at.timestamp_micros(), row.id.uuid()))
        });
        if !wants_total(ctx) {
            return Ok(Some(Sequential(connection)));
        }
        let total = loaders(ctx).load(CouponCount(is_archived)).await?.unwrap_or_default();
        Ok(Some(Sequential(connection.with_total(total))))
    }
}

// Markers: each mutation has a payload type of its own in the schema, which is named after it.
struct Create;
struct Update;
struct Archive;

/// The payload of a mutation of a coupon.
#[derive(SimpleObject)]
#[graphql(concrete(name = "CreateCouponPayload", params(Create)))]
#[graphql(concrete(name = "UpdateCouponPayload", params(Update)))]
#[graphql(concrete(name = "ArchiveCouponPayload", params(Archive)))]
struct CouponPayload<M: Send + Sync> {
    /// The coupon; null if there are `userErrors`.
    coupon: Option<Sequential<CouponObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// The mutations of coupons.
#[derive(Default)]
pub(super) struct CouponMutation;

#[Object]
impl CouponMutation {
    /// Makes a coupon.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn create_coupon(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The coupon.")] input: CreateCouponInput,
    ) -> Result<Option<Sequential<CouponPayload<Create>>>> {
        answer(command::create_coupon(app(ctx), actor(ctx), client(ctx), input).await)
    }

    /// Changes when and how often a coupon is valid. Orders that were placed with it stay as they are.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn update_coupon(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The coupon and its new terms.")] input: UpdateCouponInput,
    ) -> Result<Option<Sequential<CouponPayload<Update>>>> {
        answer(command::update_coupon(app(ctx), actor(ctx), client(ctx), input).await)
    }

    /// Archives a coupon: no more orders are placed with it, and its code can be used for another one.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn archive_coupon(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The coupon to archive.")] input: ArchiveCouponInput,
    ) -> Result<Option<Sequential<CouponPayload<Archive>>>> {
        answer(command::archive_coupon(app(ctx), actor(ctx), client(ctx), input).await)
    }
}

fn answer<M: Send + Sync>(outcome: Result<Coupon>) -> Result<Option<Sequential<CouponPayload<M>>>> {
    let (row, user_errors) = payload(outcome)?;
    let coupon = row.map(|row| Sequential(CouponObject(Arc::new(row))));
    Ok(Some(Sequential(CouponPayload { coupon, user_errors, mutation: PhantomData })))
}
