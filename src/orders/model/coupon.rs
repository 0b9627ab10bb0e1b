//! Coupons.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use super::amount::Discount;
use crate::catalog::{CategoryId, CourseId};
use crate::graphql::money::{CurrencyCode, MoneyInput};
use crate::graphql::{Entity, Id, Idempotency, Time};
use crate::memberships::PlanId;
use crate::platform::db::schema::coupons;

/// A coupon's id: `coupon_01j…`.
pub type CouponId = Id<Coupon>;

/// A coupon. It takes off either percents or an amount.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = coupons, check_for_backend(diesel::pg::Pg))]
pub struct Coupon {
    /// The id.
    pub id: CouponId,
    /// What buyers enter, in capital letters.
    pub code: String,
    /// How many percent it takes off.
    pub percent: Option<i16>,
    /// The amount that it takes off, in minor units.
    pub amount_minor: Option<i64>,
    /// The currency of the amount.
    pub currency: Option<CurrencyCode>,
    /// From when on it is valid.
    pub starts_at: Option<DateTime<Utc>>,
    /// Until when it is valid.
    pub ends_at: Option<DateTime<Utc>>,
    /// The maximum number of orders with it.
    pub max_uses: Option<i32>,
    /// The maximum number of orders of a user with it.
    pub max_uses_per_user: Option<i32>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was archived: it is not valid anymore.
    pub archived_at: Option<DateTime<Utc>>,
}

impl Entity for Coupon {
    const PREFIX: &'static str = "coupon";
}

impl Coupon {
    /// What it takes off.
    pub fn discount(&self) -> Discount {
        match (self.percent, self.amount_minor) {
            (Some(percent), _) => Discount::Percent(percent),
            (None, amount) => Discount::Amount(amount.unwrap_or_default()),
        }
    }
}

/// What a coupon is for: everything if all are empty.
#[derive(Clone, Debug, Default)]
pub struct CouponScope {
    pub courses: Vec<CourseId>,
    /// The courses in them and in their subcategories, not the plans for them.
    pub categories: Vec<CategoryId>,
    pub plans: Vec<PlanId>,
}

impl CouponScope {
    pub(crate) fn is_everything(&self) -> bool {
        self.courses.is_empty() && self.categories.is_empty() && self.plans.is_empty()
    }

    /// Whether it has a course, whose category and its ancestors are `path`.
    pub(crate) fn has_course(&self, course: CourseId, path: &[Uuid]) -> bool {
        self.is_everything()
            || self.courses.contains(&course)
            || self.categories.iter().any(|category| path.contains(&category.uuid()))
    }

    /// Whether it has a plan.
    pub(crate) fn has_plan(&self, plan: PlanId) -> bool {
        self.is_everything() || self.plans.contains(&plan)
    }
}

/// A coupon to insert.
#[derive(Insertable)]
#[diesel(table_name = coupons)]
pub(crate) struct NewCoupon<'a> {
    pub id: CouponId,
    pub code: &'a str,
    pub percent: Option<i16>,
    pub amount_minor: Option<i64>,
    pub currency: Option<CurrencyCode>,
    pub starts_at: Option<DateTime<Utc>>,
    pub ends_at: Option<DateTime<Utc>>,
    pub max_uses: Option<i32>,
    pub max_uses_per_user: Option<i32>,
    pub created_at: DateTime<Utc>,
}

/// When and how often a coupon is valid.
#[derive(Clone, Debug, Default, InputObject)]
pub struct CouponTerms {
    /// From when on the coupon is valid; omit for at once.
    pub starts_at: Option<Time>,
    /// Until when the coupon is valid; omit for no end.
    pub ends_at: Option<Time>,
    /// The maximum number of orders with the coupon, 1 to 1,000,000; omit for no limit. An order that waits for its
    /// payment counts.
    pub max_uses: Option<i32>,
    /// The maximum number of orders of a user with the coupon, 1 to 1,000,000; omit for no limit.
    pub max_uses_per_user: Option<i32>,
}

/// The input of `createCoupon`. A coupon takes off either `percent` or `amount`.
#[derive(Clone, Debug, InputObject)]
pub struct CreateCouponInput {
    /// What buyers enter: 3 to 40 letters, digits and hyphens. Case does not matter.
    pub code: String,
    /// How many percent it takes off the items that it is for, 1 to 100.
    pub percent: Option<i32>,
    /// The amount that it takes off all items together that it is for. Only orders in this currency.
    pub amount: Option<MoneyInput>,
    /// The courses that it is for, at most 100. Without `courseIds`, `categoryIds` and `planIds`, it is for all courses
    /// and plans.
    pub(crate) course_ids: Option<Vec<CourseId>>,
    /// The categories whose courses it is for, with those of their subcategories, at most 100. The plans for a category
    /// are not part of it.
    pub(crate) category_ids: Option<Vec<CategoryId>>,
    /// The plans that it is for, at most 100. It makes the first period of a membership cheaper; renewals and changes
    /// cost the full price.
    pub(crate) plan_ids: Option<Vec<PlanId>>,
    /// When and how often it is valid.
    #[graphql(flatten)]
    pub terms: CouponTerms,
    /// Identifies this request.
    #[graphql(flatten)]
    pub(crate) once: Idempotency,
}

/// The input of `updateCoupon`. What is omitted has no limit afterwards.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateCouponInput {
    /// The coupon.
    pub coupon_id: CouponId,
    /// When and how often it is valid.
    #[graphql(flatten)]
    pub terms: CouponTerms,
}

/// The input of `archiveCoupon`.
#[derive(Clone, Debug, InputObject)]
pub struct ArchiveCouponInput {
    /// The coupon.
    pub coupon_id: CouponId,
}
