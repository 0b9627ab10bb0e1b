//! SQL for live sessions.

pub(super) mod attendance;
pub(super) mod calendar;
pub(super) mod family;
pub(super) mod list;
pub(super) mod session;
pub(super) mod statistics;
pub(super) mod usage;
