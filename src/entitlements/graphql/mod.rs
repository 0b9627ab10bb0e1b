//! Access and entitlements in the schema.

mod access;
mod entitlement;

use futures_util::FutureExt;

pub use access::AccessObject;
pub use entitlement::{EntitlementObject, connection_of, entitlement_node, entitlements_of};

use crate::graphql::NodeType;

/// Returns the types of this feature that implement `Node`.
pub fn nodes() -> Vec<NodeType> {
    vec![NodeType::new(|ctx, id| entitlement_node(ctx, id).boxed())]
}
