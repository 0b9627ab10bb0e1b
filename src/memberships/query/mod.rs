//! SQL for plans and memberships.

pub(super) mod extra;
pub(super) mod family;
pub(super) mod live;
pub(super) mod membership;
pub(super) mod period;
pub(super) mod plan;
pub(super) mod play;
pub(super) mod subscription;

use crate::platform::db::schema::{
    family_invitations, family_members, family_stays, membership_periods, membership_spans, memberships, plan_gateways,
    plan_prices, plans, provider_subscriptions,
};

// diesel.toml says why not all.
diesel::allow_tables_to_appear_in_same_query!(
    family_invitations,
    family_members,
    family_stays,
    membership_periods,
    membership_spans,
    memberships,
    plan_gateways,
    plan_prices,
    plans,
    provider_subscriptions
);
