//! Access in the schema.

mod access;
mod enrollment;
mod entitlement;
mod mutation;

pub use access::{AccessObject, course_access, is_entitled, lesson_access};
pub use entitlement::{EntitlementObject, entitlements_of};

use crate::graphql::RootFields;

/// The enrollment queries.
pub fn queries() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(enrollment::EnrollmentsQuery)]
}

/// The enrollment mutations.
pub fn mutations() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(mutation::EnrollmentsMutation)]
}
