//! Entitlements: the ledger of who may see what, and the one rule that decides it.
//!
//! An entitlement gives a user access to a course, to a category or to everything, from a source (a purchase, a
//! membership, a gift, a grant, a free enrollment). Entitlements are ended, never deleted, and each source has
//! entitlements of its own, so that the end of one leaves the others alone. This feature knows courses and categories
//! by id only; whoever asks for access brings the facts about the content.

mod error;
mod event;
mod graphql;
mod loader;
mod model;
mod policy;
mod port;
mod query;

pub use event::{AccessEnded, AccessGranted};
pub use graphql::{AccessObject, EntitlementObject, entitlements_of};
pub use loader::Held;
pub use model::{
    Access, AccessReason, EndReason, Entitlement, EntitlementId, HeldCourse, NewEntitlement, Scope, Source, Target,
};
pub use policy::{Content, LessonContent, access};
pub use port::{
    Ended, Given, end, end_expired_of_course, forget_notes, give, is_owned, open_entitlement, open_entitlements,
};
pub use query::{all_of, by_id, count_held_courses, count_students, expired, held_courses, open_of_user};
