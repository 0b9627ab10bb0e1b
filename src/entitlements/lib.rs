//! Entitlements: the ledger of users' access to content, and the authorization rule for it.
//!
//! An entitlement gives a user access to a course, to a category or to everything, from a source (a purchase, a
//! membership, a gift, a grant, a free enrollment). Entitlements are ended, never deleted. Each source has its own
//! entitlements, so ending one does not affect the others. This feature knows courses and categories by id only;
//! callers provide the facts about the content.

use lyceum_accounts as accounts;
use lyceum_graphql as graphql;
use lyceum_platform as platform;

pub mod error;
mod event;
pub mod loader;
pub mod model;
mod policy;
mod port;
mod query;

pub use event::{AccessEnded, AccessGranted};
pub use loader::{ActiveOf, Held, Ledger};
pub use model::{
    Access, AccessReason, Active, EndReason, Entitlement, EntitlementId, NewEntitlement, Scope, Source, Target,
};
pub use policy::{Content, LessonContent, Opening, access, opening};
pub use port::{Given, end, end_expired, end_expired_of_course, forget_notes, give, import, is_owned, ledger, open};
pub use query::{all_of, by_id, count_students, expired, open_of_user};
