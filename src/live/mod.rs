//! [`lyceum_live`], and its part of the schema.

mod graphql;

pub use graphql::{LiveSessionObject, LiveSubscription, mutations, nodes, queries, viewer_fields};
pub(crate) use graphql::{SubscriptionUsageObject, family_hours_used, usage_of_user};
pub use lyceum_live::*;
