//! Plans and memberships in the schema.

mod family;
mod membership;
mod mutation;
mod plan;
mod plan_mutation;

use futures_util::FutureExt;

pub(crate) use membership::membership_of_entitlement;
pub use membership::{MembershipObject, membership_node};
pub use plan::{PlanObject, PlanPriceObject, plan_node, plan_price_node};
pub(crate) use plan::{plan_price_of_period, plans_of_category, plans_of_course};

use crate::graphql::{NodeType, RootFields};

/// Returns the types of this feature that implement `Node`.
pub fn nodes() -> Vec<NodeType> {
    vec![
        NodeType::new(|ctx, id| plan::plan_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| plan::plan_price_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| membership::membership_node(ctx, id).boxed()),
    ]
}

/// The queries of plans.
pub fn queries() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(plan::PlanQuery)]
}

/// The memberships of the viewer.
pub fn viewer_fields() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(membership::ViewerMemberships), Box::new(family::ViewerFamily)]
}

/// The mutations of plans and memberships.
pub fn mutations() -> Vec<Box<dyn RootFields>> {
    vec![
        Box::new(plan_mutation::PlanMutation),
        Box::new(mutation::MembershipMutation),
        Box::new(family::FamilyMutation),
    ]
}
