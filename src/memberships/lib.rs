//! Plans and memberships.
//!
//! A plan is sold by prices, which are never changed: an edit is a new version, and members keep theirs. A membership
//! is bought and renewed by orders, which come later in the order of features: they ask here what a period costs
//! ([`offer`]), and say what has become of its payment. While a membership is live, it has an entitlement; at most one
//! is live for a user and the same content. Each period is charged once: by this server, on a page, or by a
//! subscription at the provider. A membership that is paid on Google Play has no orders, and follows what Google says.
//! The member may share hours of live classes with a family, if the plan has one.

use crate as memberships;
use lyceum_accounts as accounts;
use lyceum_catalog as catalog;
use lyceum_entitlements as entitlements;
use lyceum_graphql as graphql;
use lyceum_platform as platform;

pub mod command;
pub mod error;
mod event;
mod job;
pub mod loader;
pub mod model;
pub mod policy;
mod port;
mod query;

pub use command::{import_plan, my_data, play_told};
pub use event::{ExtraHoursChanged, FamilyJoined, FamilyLeft, MembershipChange, MembershipChanged, PlanArchived};
pub use job::{handlers, mails};
pub use loader::{LiveAllowanceOf, MembershipById, PlanById, PriceById, UpgradesFrom};
pub use model::{
    BillingInterval, ChangeTime, CreatePlanInput, ExtraHours, ExtraHoursId, LiveAllowance, LiveGiven, Membership,
    MembershipChangeTerms, MembershipId, MembershipRenewal, MembershipStatus, NewPriceInput, Period, PeriodId,
    PeriodReason, Plan, PlanId, PlanKind, PlanPrice, PlanPriceId, PlanStatus, PlayOutcome, PlayState,
    ProviderSubscription, SubscriptionState, Target,
};
pub use port::{
    Authorization, Begun, Change, Held, HoursOffer, NextCharge, Offer, Outcome, Received, StartedSubscription,
    Students, Terms, WantedHours, bill_later, cancel, change_at_renewal, change_pending, change_trial,
    drop_subscription, forsake, hold, hold_family, hours_may_be_paid, hours_paid, hours_unpaid, keep_access, keep_paid,
    live_allowance, lock_target, may_be_paid, offer, offer_change, offer_hours, offer_renewal, open_period, paid,
    postpone, quote_change, refuse_subscription, reserve_hours, restore, revoke, revoke_hours, subscription_asked,
    subscription_start, subscription_told, target_course, target_of_change, terms, unpaid,
};
pub use query::extra::extra_minutes;
pub use query::family::{FamilyStay, families_of, family_stays_of};
pub use query::live::{LiveMember, LiveMembers, live_members, live_members_by_plan, live_upgrades};
pub use query::membership::to_bill;
pub use query::subscription::{price_at, subscription, subscriptions_to_ask};
