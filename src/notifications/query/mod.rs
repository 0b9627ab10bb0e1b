//! SQL for notifications.
//!
//! A notification is written under its row lock, which its insertion takes.

pub(super) mod announcement;
pub(super) mod create;
pub(super) mod delivery;
pub(super) mod feed;
pub(super) mod mark;
pub(super) mod push_subscription;
pub(super) mod retention;
pub(super) mod setting;
