//! The hours of users in the schema.

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::accounts::{UserId, UserObject, user_node, viewer};
use crate::graphql::context::{app, loaders, within};
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::sequential::SequentialList;
use crate::graphql::{Error, Result, Scoped, Sequential, YearMonth};
use crate::live::command;
use crate::live::loader::{MemberUsageOf, UsageOf};
use crate::live::model::{MemberUsage, Pool, UsageWarning, hours};
use crate::memberships::{PlanPriceObject, UpgradesFrom};

/// The longest history.
const MOST_MONTHS: i32 = 36;

/// The hours of a user in a month, in the schema.
#[derive(Clone)]
pub(crate) struct SubscriptionUsageObject(pub(super) Pool);

/// The hours of live classes that a user has in a month, and what they have used of them. A family has one pool of
/// hours, which each of its members sees.
#[Object(name = "SubscriptionUsage")]
impl SubscriptionUsageObject {
    /// The user; of a deleted account only the id is left.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        Ok(user_node(ctx, self.0.user()).await?.map(Sequential))
    }

    /// The month.
    async fn month(&self) -> YearMonth {
        YearMonth::of_day(self.0.usage.month)
    }

    /// The hours of the sessions that the user, and their family, attended.
    async fn total_hours_attended(&self) -> Decimal {
        hours(self.0.usage.attended_minutes)
    }

    /// The hours of seats in sessions that are not over.
    async fn held_hours(&self) -> Decimal {
        hours(self.0.usage.held_minutes)
    }

    /// The hours that the membership gives for the month. More hours after a change of plan count at once, fewer from
    /// the next month on.
    async fn max_hours_allowed(&self) -> Decimal {
        hours(self.0.usage.allowed_minutes)
    }

    /// The hours that are left: allowed, rolled over and extra, less attended and held.
    async fn remaining_hours(&self) -> Decimal {
        hours(self.0.usage.remaining())
    }

    /// The hours that were left of earlier months and count in this one.
    async fn rolled_over_hours(&self) -> Decimal {
        hours(self.0.usage.rolled_over_minutes)
    }

    /// The extra hours that the user, or the owner of their family, has bought for this month. They are spent last, and
    /// end with it.
    async fn extra_hours(&self) -> Decimal {
        hours(self.0.usage.extra_minutes)
    }

    /// The number of sessions that the user attended.
    async fn sessions_attended(&self) -> i32 {
        self.0.sessions_attended()
    }

    /// When the user entered the latest session that they attended; null if there is none.
    async fn last_attendance_date(&self) -> Option<DateTime<Utc>> {
        self.0.last_attended_at()
    }

    /// When the hours of the next month are there: its first instant in the time zone of the school.
    async fn resets_at(&self, ctx: &Context<'_>) -> DateTime<Utc> {
        YearMonth::of_day(self.0.usage.month).next().start(app(ctx).config.time_zone)
    }

    /// Whether the hours are running out.
    async fn warning(&self) -> UsageWarning {
        self.0.usage.warning()
    }

    /// What the user has of them as a member of a family; null if the hours are the user's own.
    async fn family(&self) -> Option<Sequential<FamilyUsageObject>> {
        self.0.member.clone().map(|member| Sequential(FamilyUsageObject(member)))
    }

    /// The prices of plans with more hours per month, fewest hours first, at most 20.
    async fn upgrade_options(&self, ctx: &Context<'_>) -> Result<SequentialList<PlanPriceObject>> {
        let prices = loaders(ctx).load(UpgradesFrom(self.0.usage.allowed_minutes)).await?.unwrap_or_default();
        Ok(SequentialList(prices.iter().cloned().map(PlanPriceObject).collect()))
    }
}

/// What a family member has of the hours of the family, in the schema.
#[derive(Clone)]
pub(super) struct FamilyUsageObject(MemberUsage);

/// What a member of a family has of its hours in a month, and what they have used of them.
#[Object(name = "FamilyUsage")]
impl FamilyUsageObject {
    /// The owner of the family, whose hours they are.
    async fn owner(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        Ok(user_node(ctx, self.0.payer_id).await?.map(Sequential))
    }

    /// The hours of the sessions that the member attended.
    async fn own_hours_attended(&self) -> Decimal {
        hours(self.0.attended_minutes)
    }

    /// The hours of the member's seats in sessions that are not over.
    async fn own_held_hours(&self) -> Decimal {
        hours(self.0.held_minutes)
    }

    /// The hours that the member can use at most in the month; null for no limit of their own.
    async fn member_hours(&self) -> Option<Decimal> {
        self.0.allowed_minutes.map(hours)
    }
}

/// Returns the hours of a user in a month, the current one by default. The caller has checked that the viewer may see
/// them.
///
/// # Errors
/// The database failed.
pub(crate) async fn usage_of_user(
    ctx: &Context<'_>,
    user: UserId,
    month: Option<YearMonth>,
) -> Result<Option<Sequential<SubscriptionUsageObject>>> {
    let app = app(ctx);
    let month = month.unwrap_or_else(|| YearMonth::of(app.clock.now(), app.config.time_zone)).first_day();
    let hours = loaders(ctx).load(UsageOf { user, month, at: None }).await?;
    Ok(hours.map(|hours| Sequential(SubscriptionUsageObject(hours.pool))))
}

/// Returns the hours of a family that one of its members has used in the current month: of sessions that they attended,
/// and of their seats in sessions that are not over. The caller has checked that the viewer may see them.
///
/// # Errors
/// The database failed.
pub(crate) async fn family_hours_used(ctx: &Context<'_>, member: UserId, payer: UserId) -> Result<Decimal> {
    let app = app(ctx);
    let month = YearMonth::of(app.clock.now(), app.config.time_zone).first_day();
    let used = loaders(ctx).load(MemberUsageOf { member, month, payer }).await?;
    Ok(hours(used.map_or(0, |used| used.attended_minutes + used.held_minutes)))
}

/// The hours of the viewer.
#[derive(Default)]
pub(super) struct ViewerUsage;

#[Object]
impl ViewerUsage {
    /// The user's hours of live classes in a month.
    #[graphql(
        guard = "Scoped(Role::Student, Scope::ReadLearning)",
        directive = scoped::apply(Role::Student, Scope::ReadLearning)
    )]
    async fn subscription_usage(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The month; defaults to the current one in the time zone of the school.")] month: Option<
            YearMonth,
        >,
    ) -> Result<Option<Sequential<SubscriptionUsageObject>>> {
        usage_of_user(ctx, viewer(within(ctx, Scope::ReadLearning))?, month).await
    }

    /// The user's hours of live classes in the latest months, with the current one first and without gaps.
    #[graphql(
        guard = "Scoped(Role::Student, Scope::ReadLearning)",
        directive = scoped::apply(Role::Student, Scope::ReadLearning)
    )]
    async fn subscription_usage_history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of months, 1 to 36.", default = 6)] months: i32,
    ) -> Result<Option<Vec<Sequential<SubscriptionUsageObject>>>> {
        let user = viewer(within(ctx, Scope::ReadLearning))?;
        if !(1..=MOST_MONTHS).contains(&months) {
            return Err(Error::BadInput(format!("months must be between 1 and {MOST_MONTHS}; it is {months}.")));
        }
        let rows = command::history_of(app(ctx), user, u32::try_from(months)?).await?;
        Ok(Some(rows.into_iter().map(|row| Sequential(SubscriptionUsageObject(row))).collect()))
    }
}
