//! Statistics of live classes in the schema, for administrators.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::usage::SubscriptionUsageObject;
use crate::graphql::context::app;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::{Result, Scoped, Sequential, YearMonth};
use crate::live::command::{self, Statistics};
use crate::live::model::{Pool, hours};
use crate::memberships::{LiveMembers, PlanObject, plan_node};

/// How many users attended a number of hours.
#[derive(Clone, Debug, SimpleObject)]
struct HoursBucket {
    /// The least hours.
    from_hours: Decimal,
    /// The hours before which it ends.
    to_hours: Decimal,
    /// The number of users.
    users: i64,
}

/// The members of a plan with live classes.
struct PlanMembers(LiveMembers);

/// The members that a plan had in a month.
#[Object]
impl PlanMembers {
    /// The plan.
    async fn plan(&self, ctx: &Context<'_>) -> Result<Option<Sequential<PlanObject>>> {
        Ok(plan_node(ctx, self.0.plan).await?.map(Sequential))
    }

    /// The number of members.
    async fn members(&self) -> i64 {
        self.0.members
    }
}

/// What was attended in a month.
#[derive(Clone, Debug, SimpleObject)]
struct MonthHours {
    /// The month.
    month: YearMonth,
    /// The hours that were attended.
    hours: Decimal,
    /// The number of users who attended.
    members: i64,
}

/// The statistics of a month, in the schema.
struct SubscriptionStatistics(Statistics);

/// How live classes were attended in a month. The current month is as of now.
#[Object]
impl SubscriptionStatistics {
    /// The month.
    async fn month(&self) -> YearMonth {
        self.0.month
    }

    /// The number of users who were members of a plan with live classes in the month. Of a family, that is the owner.
    async fn active_members(&self) -> i64 {
        self.0.members
    }

    /// The plans with the number of users who were their members in the month, most first. Who has changed the plan in it
    /// counts for both.
    async fn members_by_plan(&self) -> Vec<Sequential<PlanMembers>> {
        self.0.by_plan.iter().map(|row| Sequential(PlanMembers(*row))).collect()
    }

    /// The number of members who have changed to a plan with more hours in the month.
    async fn upgrades(&self) -> i64 {
        self.0.upgrades
    }

    /// The number of users who have a seat in a session of the month, or had one when it ended.
    async fn participants(&self) -> i64 {
        self.0.sums.users
    }

    /// The hours that were attended.
    async fn total_hours_used(&self) -> Decimal {
        hours(self.0.sums.attended_minutes)
    }

    /// The hours that are left to the active members, of a month that is over those that were left at its end. Those of a
    /// family count once, free hours of users without a membership do not, and who is no member anymore has none.
    async fn total_hours_remaining(&self) -> Decimal {
        hours(self.0.remaining_minutes)
    }

    /// The share of the seats whose users were there, from 0 to 1; 0 if no session is settled.
    async fn attendance_rate(&self) -> f64 {
        let sums = &self.0.sums;
        share(sums.sessions_attended, sums.sessions_attended + sums.sessions_missed)
    }

    /// The share of the active members who attended at least one session, they or one of their family, from 0 to 1; 0
    /// without active members.
    async fn engagement_rate(&self) -> f64 {
        share(self.0.attendees, self.0.members)
    }

    /// The hours of the ten users who attended the most, each once: what they attended themselves, whatever family or
    /// membership gave the hours.
    async fn top_users(&self) -> Vec<Sequential<SubscriptionUsageObject>> {
        self.0.top.iter().map(|row| Sequential(SubscriptionUsageObject(Pool::own(row.clone())))).collect()
    }

    /// How many participants attended how many hours, from few to many; numbers of hours without users are missing.
    async fn distribution(&self) -> Vec<Sequential<HoursBucket>> {
        let bucket = |from: i64, users| HoursBucket { from_hours: from.into(), to_hours: (from + 1).into(), users };
        self.0.distribution.iter().map(|row| Sequential(bucket(row.hours, row.users))).collect()
    }

    /// The month and the eleven before it, earliest first.
    async fn trend(&self) -> Vec<Sequential<MonthHours>> {
        let rows = self.0.trend.iter().map(|row| MonthHours {
            month: YearMonth::of_day(row.month),
            hours: hours(row.attended_minutes),
            members: row.attendees,
        });
        rows.map(Sequential).collect()
    }

    /// When this was computed.
    async fn computed_at(&self) -> DateTime<Utc> {
        self.0.computed_at
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of users and seats")]
fn share(part: i64, whole: i64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The query of statistics.
#[derive(Default)]
pub(super) struct StatisticsQuery;

#[Object]
impl StatisticsQuery {
    /// How live classes were attended in a month.
    #[graphql(
        guard = "Scoped(Role::Admin, Scope::ReadLearning)",
        directive = scoped::apply(Role::Admin, Scope::ReadLearning)
    )]
    async fn subscription_statistics(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The month; defaults to the current one in the time zone of the school.")] month: Option<
            YearMonth,
        >,
    ) -> Result<Option<Sequential<SubscriptionStatistics>>> {
        let app = app(ctx);
        let month = month.unwrap_or_else(|| YearMonth::of(app.clock.now(), app.config.time_zone));
        Ok(Some(Sequential(SubscriptionStatistics(command::statistics_of(app, month).await?))))
    }
}
