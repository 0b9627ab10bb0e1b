//! Who has access to which course, and what of it opens when.
//!
//! Entitlements are a ledger: a row for each source of access, ended when it is over and never deleted, and the end of
//! one leaves the others alone. What somebody may see follows from the rows and the present instant ([`access`], the
//! one answer that everything asks that hands out content), so that access ends on time even where the job is late
//! that ends the row and mends the course's count of students.
//!
//! A course that costs nothing is taken with a row of its own source, `FREE`: not `PURCHASE`, which has an order to refund,
//! nor `GRANT`, which an administrator can revoke.

mod command;
mod error;
mod event;
mod graphql;
mod job;
mod loader;
mod model;
mod policy;
mod query;

pub use command::{access_for, my_data};
pub use event::{AccessEnded, AccessGranted};
pub use graphql::{
    AccessObject, EntitlementObject, course_access, entitlements_of, is_entitled, lesson_access, mutations, queries,
};
pub use job::handlers;
pub use model::{Access, AccessReason, EndReason, Entitlement, EntitlementId, Source};
pub use policy::access;
pub use query::{close_ledger, is_owned};
