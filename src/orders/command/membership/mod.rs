//! Orders of memberships: their first period, renewals and changes.

mod buy;
mod change;
mod place;
mod renew;
mod subscription;

pub(super) use buy::{order, quote};
pub use change::{MembershipQuote, cancel_membership, change_membership, quote_membership_change};
pub(crate) use renew::renew;
pub(super) use subscription::ask;
pub(crate) use subscription::follow_subscriptions;
