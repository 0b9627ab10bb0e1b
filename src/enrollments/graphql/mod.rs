//! Access in the schema.

mod access;
mod enrollment;
mod entitlement;
mod mutation;

pub use access::{AccessObject, course_access, is_entitled, lesson_access};
pub use enrollment::EnrollmentsQuery;
pub use entitlement::{EntitlementObject, entitlements_of};
pub use mutation::EnrollmentsMutation;
