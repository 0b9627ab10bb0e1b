//! The inputs of the mutations, and what lists contain.

use async_graphql::{Enum, InputObject};
use rust_decimal::Decimal;

use super::membership::{MembershipId, MembershipStatus};
use super::plan::{BillingInterval, PlanId, PlanKind, PlanPriceId};
use crate::accounts::UserId;
use crate::catalog::{CategoryId, CourseId};
use crate::graphql::Idempotency;
use crate::graphql::money::MoneyInput;

/// A price of a new plan.
#[derive(Clone, Debug, InputObject)]
pub struct NewPriceInput {
    /// The amount for an interval, more than nothing.
    pub amount: MoneyInput,
    /// How often it is charged.
    pub interval: BillingInterval,
    /// The number of days that are free for users who were no members before, 0 to 365.
    #[graphql(default)]
    pub trial_days: i32,
    /// What an extra hour of live classes costs members at this price, more than nothing and in the same currency; for
    /// plans with `maxExtraHours`. Omit if none are sold.
    pub extra_hour_amount: Option<MoneyInput>,
}

/// The input of `createPlan`.
#[derive(Clone, Debug, InputObject)]
pub struct CreatePlanInput {
    /// What it gives. For the kinds COURSE and CATEGORY, `courseId` or `categoryId` is required; for LIVE_CLASS,
    /// `liveHoursPerMonth`.
    pub kind: PlanKind,
    /// The name, 1 to 80 characters.
    pub name: String,
    /// The URL slug: lower-case letters, digits and single hyphens, at most 80 characters. Defaults to one made from
    /// the name.
    pub slug: Option<String>,
    /// The description, plain text, at most 2,000 characters.
    #[graphql(default)]
    pub description: String,
    /// The course, for the kind COURSE.
    pub course_id: Option<CourseId>,
    /// The category, for the kind CATEGORY.
    pub category_id: Option<CategoryId>,
    /// The hours of live classes per month, for the kind LIVE_CLASS: whole minutes, such as 4 or 7.5, at most 744.
    pub live_hours_per_month: Option<Decimal>,
    /// How many of these hours at most count in the next month if they are left, and only in that: whole minutes, at
    /// most 744. Omit for none.
    pub rollover_hours: Option<Decimal>,
    /// How many extra hours members may buy for a month at most, for the kind LIVE_CLASS: 1 to 744. Omit for none. What
    /// one costs is said by the prices.
    pub max_extra_hours: Option<i32>,
    /// How many users beside the member may share the hours of a membership, of a plan of the kind LIVE_CLASS: at most
    /// 10. Omit for none.
    pub family_size: Option<i32>,
    /// How many of the hours each of these users can use a month at most: whole minutes, at most 744. Omit for no limit
    /// of their own.
    pub family_member_hours: Option<Decimal>,
    /// When on the last day of a period the next one is charged: five fields of cron in the school's time zone, such as
    /// `0 6 * * *` for six in the morning. Omit for the end of the period.
    pub renewal_cron: Option<String>,
    /// The prices, 1 to 12, one for an interval and a currency.
    pub prices: Vec<NewPriceInput>,
    /// Identifies this request.
    #[graphql(flatten)]
    pub once: Idempotency,
}

/// The input of `updatePlan`. Omitted fields stay unchanged.
#[derive(Clone, Debug, InputObject)]
pub struct UpdatePlanInput {
    /// The plan.
    pub plan_id: PlanId,
    /// The name, 1 to 80 characters.
    pub name: Option<String>,
    /// The description, plain text, at most 2,000 characters.
    pub description: Option<String>,
    /// The hours of live classes per month, of a plan of the kind LIVE_CLASS. Members have them from now on.
    pub live_hours_per_month: Option<Decimal>,
    /// How many of these hours at most count in the next month if they are left, as in `createPlan`; 0 for none.
    /// Members have them from now on.
    pub rollover_hours: Option<Decimal>,
    /// How many extra hours members may buy for a month at most, as in `createPlan`; 0 for none. Those that were
    /// ordered stay.
    pub max_extra_hours: Option<i32>,
    /// How many users beside the member may share the hours, as in `createPlan`; 0 for none. It counts for who joins
    /// from now on, and for a membership's family from its next renewal or change on.
    pub family_size: Option<i32>,
    /// How many of the hours each of these users can use a month at most, as in `createPlan`; 0 for no limit of their
    /// own. It counts from now on.
    pub family_member_hours: Option<Decimal>,
    /// When on the last day of a period the next one is charged, as in `createPlan`. Empty for the end of the period.
    /// It applies to periods that begin from now on.
    pub renewal_cron: Option<String>,
}

/// The input of `setPlanPrice`.
#[derive(Clone, Debug, InputObject)]
pub struct SetPlanPriceInput {
    /// The plan.
    pub plan_id: PlanId,
    /// The price. It replaces the one for the same interval and currency.
    pub price: NewPriceInput,
    /// Whether the members of all earlier versions of the price pay this one from their next renewal on, also those who
    /// were to get an earlier version then; they are told. Otherwise they keep theirs.
    #[graphql(default)]
    pub(crate) moves_members: bool,
}

/// The input of `archivePlan`.
#[derive(Clone, Debug, InputObject)]
pub struct ArchivePlanInput {
    /// The plan.
    pub plan_id: PlanId,
}

/// The input of `cancelMembership`.
#[derive(Clone, Debug, InputObject)]
pub struct CancelMembershipInput {
    /// The membership, of the viewer unless they are an administrator.
    pub membership_id: MembershipId,
}

/// The input of `pauseMembership`.
#[derive(Clone, Debug, InputObject)]
pub struct PauseMembershipInput {
    /// The membership, of the viewer.
    pub membership_id: MembershipId,
}

/// The input of `resumeMembership`.
#[derive(Clone, Debug, InputObject)]
pub struct ResumeMembershipInput {
    /// The membership, of the viewer.
    pub membership_id: MembershipId,
}

/// When a change of a membership applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ChangeTime {
    /// At once: a new period begins, and what is left of the one that is paid is taken off its price.
    Now,
    /// With the next period.
    Renewal,
}

/// What a membership is changed to, and when.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct MembershipChangeTerms {
    /// The membership, of the viewer.
    pub membership_id: MembershipId,
    /// The new price: of a plan for the same course or category, or of the same kind, in the same currency.
    pub plan_price_id: PlanPriceId,
    /// When it applies. A trial is changed at once and goes on; so is a membership that is not paid yet, with a new
    /// checkout.
    pub when: ChangeTime,
}

/// The input of `changeMembership`.
#[derive(Clone, Debug, InputObject)]
pub struct ChangeMembershipInput {
    /// What is changed.
    #[graphql(flatten)]
    pub terms: MembershipChangeTerms,
    /// The total that the member was shown, as `quoteMembershipChange` returns it. If another one would be charged now,
    /// nothing is changed. Send it always: a stored payment is charged without a page that shows the total.
    pub expected_total: Option<MoneyInput>,
}

/// The input of `quoteMembershipChange`.
#[derive(Clone, Debug, InputObject)]
pub struct QuoteMembershipChangeInput {
    /// What would be changed.
    #[graphql(flatten)]
    pub terms: MembershipChangeTerms,
}

/// The input of `setPlayProduct`.
#[derive(Clone, Debug, InputObject)]
pub struct SetPlayProductInput {
    /// The price, which must be sold.
    pub plan_price_id: PlanPriceId,
    /// The id of the subscription on Google Play: letters, digits, dots, hyphens and underscores, at most 150. Empty if
    /// the price is not sold there anymore.
    pub product_id: String,
    /// The id of its base plan, as above. Omit for a subscription from before base plans.
    pub base_plan_id: Option<String>,
}

/// The input of `confirmPlayPurchase`.
#[derive(Clone, InputObject)]
pub struct ConfirmPlayPurchaseInput {
    /// The plan that was bought; this or `planSlug`.
    pub plan_id: Option<PlanId>,
    /// The URL slug of the plan that was bought; this or `planId`.
    pub(crate) plan_slug: Option<String>,
    /// The token of the purchase, which the app has from Google.
    pub(crate) purchase_token: String,
    /// Google's id of the order (`GPA.…`), which the app has from Google; it is compared with what Google says.
    pub(crate) order_id: Option<String>,
}

/// A filter for memberships. Omitted fields restrict nothing.
#[derive(Clone, Debug, Default, InputObject)]
pub struct MembershipFilter {
    /// Memberships in one of these states.
    pub statuses: Option<Vec<MembershipStatus>>,
}

/// A user's memberships in a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MembershipWhich {
    /// The member.
    pub user: UserId,
    /// The states; `None` for any.
    pub statuses: Option<Vec<MembershipStatus>>,
}

/// A filter for plans; its conditions are combined with AND. Omitted fields restrict nothing.
#[derive(Clone, Debug, Default, InputObject)]
pub struct PlanFilter {
    /// Plans of these kinds.
    pub kinds: Option<Vec<PlanKind>>,
    /// Plans for this course.
    pub course_id: Option<CourseId>,
    /// Plans for this category.
    pub category_id: Option<CategoryId>,
    /// The plan with this slug.
    pub slug: Option<String>,
    /// Only archived plans, or only those that are not. Only administrators see archived plans, and all if this is
    /// omitted.
    pub is_archived: Option<bool>,
}

/// The plans in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PlanWhich {
    /// The kinds; `None` for any.
    pub kinds: Option<Vec<PlanKind>>,
    /// The course.
    pub course: Option<CourseId>,
    /// The category.
    pub category: Option<CategoryId>,
    /// The slug.
    pub slug: Option<String>,
    /// Whether it is archived; `None` for both.
    pub is_archived: Option<bool>,
}
