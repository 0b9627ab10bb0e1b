//! Plans, their prices, and what payment providers know of them.

use async_graphql::Enum;
use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::catalog::{CategoryId, CourseId};
use crate::entitlements;
use crate::graphql::money::{CurrencyCode, Money};
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::{plan_gateways, plan_prices, plans};
use crate::platform::db::stored_as_text;
use crate::platform::payments::Provider;

/// A plan's id: `plan_01j…`.
pub type PlanId = Id<Plan>;

/// What a membership is for.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = plans, check_for_backend(diesel::pg::Pg))]
pub struct Plan {
    /// The id.
    pub id: PlanId,
    /// The URL slug.
    pub slug: String,
    /// The name.
    pub name: String,
    /// The description, plain text; may be empty.
    pub description: String,
    /// What it gives.
    pub kind: PlanKind,
    /// The course, for the kind [`PlanKind::Course`]; `None` once it is deleted.
    pub course_id: Option<CourseId>,
    /// The category, for the kind [`PlanKind::Category`]; `None` once it is deleted.
    pub category_id: Option<CategoryId>,
    /// The minutes of live classes per month, for the kind [`PlanKind::LiveClass`].
    pub live_minutes_per_month: Option<i32>,
    /// The most minutes of a month that count in the next one if they are left; `None` if none do.
    pub rollover_minutes: Option<i32>,
    /// The most extra hours that a member may buy for a month; `None` if none are sold.
    pub max_extra_hours: Option<i16>,
    /// How many users beside the member may share the hours; `None` for none.
    pub family_size: Option<i32>,
    /// The most minutes per month that each of them can use; `None` for no limit of their own.
    pub family_member_minutes: Option<i32>,
    /// When on the last day of a period the next one is charged: a cron expression in the school's time zone; `None`
    /// for the period's end.
    pub renewal_cron: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was archived: it is not sold anymore.
    pub archived_at: Option<DateTime<Utc>>,
}

impl Entity for Plan {
    const PREFIX: &'static str = "plan";
}

/// What a membership gives access to. A user has at most one live membership for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Hours of live classes.
    LiveClasses,
    /// A course.
    Course(CourseId),
    /// A category with its subcategories, and courses that are added to them later.
    Category(CategoryId),
    /// Every course, also those that are added later.
    Everything,
}

impl Target {
    /// The target of the entitlement; `None` for live classes, which have none.
    pub fn entitlement(self) -> Option<entitlements::Target> {
        match self {
            Target::LiveClasses => None,
            Target::Course(id) => Some(entitlements::Target::Course(id.uuid())),
            Target::Category(id) => Some(entitlements::Target::Category(id.uuid())),
            Target::Everything => Some(entitlements::Target::Everything),
        }
    }
}

impl Plan {
    /// What it gives access to; `None` once that is deleted.
    pub fn target(&self) -> Option<Target> {
        match self.kind {
            PlanKind::LiveClass => Some(Target::LiveClasses),
            PlanKind::Course => self.course_id.map(Target::Course),
            PlanKind::Category => self.category_id.map(Target::Category),
            PlanKind::AllAccess => Some(Target::Everything),
        }
    }
}

/// What a plan gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PlanKind {
    /// Hours of live classes each month.
    LiveClass,
    /// Access to a course.
    Course,
    /// Access to all courses of a category and its subcategories, also those that are added later.
    Category,
    /// Access to all courses, also those that are added later.
    AllAccess,
}

stored_as_text!(PlanKind {
    LiveClass = "LIVE_CLASS",
    Course = "COURSE",
    Category = "CATEGORY",
    AllAccess = "ALL_ACCESS",
});

/// How often a membership is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BillingInterval {
    /// Each month.
    Month,
    /// Every three months.
    Quarter,
    /// Each year.
    Year,
}

stored_as_text!(BillingInterval { Month = "MONTH", Quarter = "QUARTER", Year = "YEAR" });

impl BillingInterval {
    /// The number of calendar months.
    pub fn months(self) -> u32 {
        match self {
            BillingInterval::Month => 1,
            BillingInterval::Quarter => 3,
            BillingInterval::Year => 12,
        }
    }
}

/// The id of a price of a plan: `plan_price_01j…`.
pub type PlanPriceId = Id<PlanPrice>;

/// A version of a plan's price for an interval and a currency. It is never changed.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = plan_prices, check_for_backend(diesel::pg::Pg))]
pub struct PlanPrice {
    /// The id.
    pub id: PlanPriceId,
    /// The plan.
    pub plan_id: PlanId,
    /// How often it is charged.
    pub billing_interval: BillingInterval,
    /// The amount for an interval, in minor units.
    pub amount_minor: i64,
    /// The currency.
    pub currency: CurrencyCode,
    /// The number of days that are free for new members.
    pub trial_days: i16,
    /// What an extra hour of live classes costs, in minor units; `None` if none are sold.
    pub extra_hour_minor: Option<i64>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was retired: it is not sold anymore.
    pub retired_at: Option<DateTime<Utc>>,
}

impl Entity for PlanPrice {
    const PREFIX: &'static str = "plan_price";
}

impl PlanPrice {
    /// The amount for an interval.
    pub fn amount(&self) -> Money {
        Money::new(self.amount_minor, self.currency)
    }
}

/// Whether a plan is ready at the payment providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum PlanStatus {
    /// It is to be created at a provider.
    Pending,
    /// It is for sale.
    Active,
    /// A provider has refused to create it; it is tried again.
    Failed,
    /// It is archived, and to be retired at a provider.
    Retiring,
    /// It is archived, and retired at all providers.
    Retired,
}

stored_as_text!(PlanStatus {
    Pending = "PENDING",
    Active = "ACTIVE",
    Failed = "FAILED",
    Retiring = "RETIRING",
    Retired = "RETIRED",
});

/// What a payment provider knows of a price.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = plan_gateways, check_for_backend(diesel::pg::Pg))]
pub struct PlanGateway {
    /// The price.
    pub plan_price_id: PlanPriceId,
    /// The provider.
    pub provider: Provider,
    /// Whether it is ready there.
    pub status: PlanStatus,
    /// The provider's id; `None` until it is created there.
    pub external_id: Option<String>,
    /// Why the latest attempt has failed.
    pub last_error: Option<String>,
    /// The number of attempts that have failed.
    pub(crate) attempts: i32,
}

/// A plan to insert.
#[derive(Insertable)]
#[diesel(table_name = plans)]
pub(crate) struct NewPlan<'a> {
    pub id: PlanId,
    pub slug: &'a str,
    pub name: &'a str,
    pub description: &'a str,
    pub kind: PlanKind,
    pub course_id: Option<CourseId>,
    pub category_id: Option<CategoryId>,
    pub live_minutes_per_month: Option<i32>,
    pub rollover_minutes: Option<i32>,
    pub max_extra_hours: Option<i16>,
    pub family_size: Option<i32>,
    pub family_member_minutes: Option<i32>,
    pub renewal_cron: Option<&'a str>,
    pub created_at: DateTime<Utc>,
}

/// A price to insert.
#[derive(Insertable)]
#[diesel(table_name = plan_prices)]
pub(crate) struct NewPrice {
    pub id: PlanPriceId,
    pub plan_id: PlanId,
    pub billing_interval: BillingInterval,
    pub(crate) amount_minor: i64,
    pub currency: CurrencyCode,
    pub trial_days: i16,
    pub extra_hour_minor: Option<i64>,
    pub created_at: DateTime<Utc>,
}

/// What a provider is to be told of a price.
#[derive(Insertable)]
#[diesel(table_name = plan_gateways)]
pub(crate) struct NewGateway {
    pub plan_price_id: PlanPriceId,
    pub provider: Provider,
    pub status: PlanStatus,
    pub(crate) attempt_at: DateTime<Utc>,
}

/// Returns whether a plan is ready: the worst state of its current prices, or of all once it is archived.
pub fn status_of(plan: &Plan, prices: &[PlanPrice], gateways: &[PlanGateway]) -> PlanStatus {
    if plan.archived_at.is_some() {
        let is_done = gateways.iter().all(|row| row.status == PlanStatus::Retired);
        return if is_done { PlanStatus::Retired } else { PlanStatus::Retiring };
    }
    let is_current =
        |row: &&PlanGateway| prices.iter().any(|price| price.id == row.plan_price_id && price.retired_at.is_none());
    let has = |status| gateways.iter().filter(is_current).any(|row| row.status == status);
    match (has(PlanStatus::Failed), has(PlanStatus::Pending)) {
        (true, _) => PlanStatus::Failed,
        (false, true) => PlanStatus::Pending,
        (false, false) => PlanStatus::Active,
    }
}

/// Converts minutes to hours.
pub fn hours_of(minutes: i32) -> Decimal {
    (Decimal::from(minutes) / Decimal::from(60)).round_dp(4).normalize()
}

/// Converts hours to minutes; `None` if that is no whole number of minutes, or not between a minute and a month.
pub(crate) fn minutes_of(hours: Decimal) -> Option<i32> {
    let minutes = hours.checked_mul(Decimal::from(60)).filter(|minutes| minutes.fract().is_zero())?;
    i32::try_from(minutes).ok().filter(|minutes| (1..=44_640).contains(minutes))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn plan(kind: PlanKind) -> Plan {
        Plan {
            id: PlanId::new(Uuid::from_u128(1)),
            slug: "basic".into(),
            name: "Basic".into(),
            description: String::new(),
            kind,
            course_id: (kind == PlanKind::Course).then(|| CourseId::new(Uuid::from_u128(2))),
            category_id: (kind == PlanKind::Category).then(|| CategoryId::new(Uuid::from_u128(3))),
            live_minutes_per_month: None,
            rollover_minutes: None,
            max_extra_hours: None,
            family_size: None,
            family_member_minutes: None,
            renewal_cron: None,
            created_at: DateTime::UNIX_EPOCH,
            archived_at: None,
        }
    }

    #[test]
    fn a_plan_is_as_ready_as_the_worst_of_its_prices() {
        use PlanStatus::{Active, Failed, Pending, Retired, Retiring};
        let price = |id, retired| PlanPrice {
            id: PlanPriceId::new(Uuid::from_u128(id)),
            plan_id: PlanId::new(Uuid::from_u128(1)),
            billing_interval: BillingInterval::Month,
            amount_minor: 1,
            currency: CurrencyCode::USD,
            trial_days: 0,
            extra_hour_minor: None,
            created_at: DateTime::UNIX_EPOCH,
            retired_at: Some(DateTime::UNIX_EPOCH).filter(|_| retired),
        };
        let prices = [price(1, false), price(2, false), price(3, true)];
        let gateway = |(place, status): (usize, &PlanStatus)| PlanGateway {
            plan_price_id: prices[place].id,
            provider: Provider::Sandbox,
            status: *status,
            external_id: None,
            last_error: None,
            attempts: 0,
        };
        for (statuses, current, archived) in [
            ([Active, Active, Retired], Active, Retiring),
            ([Active, Pending, Retired], Pending, Retiring),
            ([Failed, Pending, Retired], Failed, Retiring),
            ([Active, Active, Retiring], Active, Retiring),
            ([Retired, Retired, Retired], Active, Retired),
        ] {
            let gateways: Vec<_> = statuses.iter().enumerate().map(gateway).collect();
            let own = plan(PlanKind::AllAccess);
            assert_eq!(status_of(&own, &prices, &gateways), current, "{statuses:?}");
            let own = Plan { archived_at: Some(DateTime::UNIX_EPOCH), ..own };
            assert_eq!(status_of(&own, &prices, &gateways), archived, "{statuses:?}");
        }
    }

    #[test]
    fn hours_are_whole_minutes() {
        let decimal = |text: &str| text.parse::<Decimal>().unwrap();
        for (hours, minutes) in [
            ("4", Some(240)),
            ("0.5", Some(30)),
            ("0.25", Some(15)),
            ("0.01", None),
            ("0", None),
            ("-1", None),
            ("744", Some(44_640)),
            ("745", None),
            ("79228162514264337593543950335", None),
        ] {
            assert_eq!(minutes_of(decimal(hours)), minutes, "{hours}");
            if let Some(minutes) = minutes {
                assert_eq!(hours_of(minutes), decimal(hours));
            }
        }
        assert_eq!(hours_of(50).to_string(), "0.8333");
    }
}
