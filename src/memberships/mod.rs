//! [`lyceum_memberships`], and its part of the schema.

mod graphql;

pub use graphql::{
    MembershipObject, PlanObject, PlanPriceObject, membership_node, mutations, nodes, plan_node, plan_price_node,
    queries, viewer_fields,
};
pub(crate) use graphql::{membership_of_entitlement, plan_price_of_period, plans_of_category, plans_of_course};
pub use lyceum_memberships::*;
