//! [`lyceum_entitlements`], and its part of the schema.

mod graphql;

pub use graphql::{AccessObject, EntitlementObject, connection_of, entitlement_node, entitlements_of, nodes};
pub use lyceum_entitlements::*;
