//! Orders of memberships: their first period, renewals and changes.

mod buy;
mod change;
mod place;
mod renew;

pub(super) use buy::{order, quote};
pub use change::{MembershipQuote, cancel_membership, change_membership, quote_membership_change};
pub(in crate::orders) use renew::renew;
