//! Access and entitlements in the schema.

mod access;
mod entitlement;

pub use access::AccessObject;
pub use entitlement::{EntitlementObject, entitlements_of};
