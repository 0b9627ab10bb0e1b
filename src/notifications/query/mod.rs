//! SQL for notifications.
//!
//! A notification is written under its row lock, which its insertion takes.

pub mod announcement;
pub(crate) mod create;
pub mod delivery;
pub mod feed;
pub(crate) mod mark;
pub mod push_subscription;
pub(crate) mod retention;
pub(crate) mod setting;
