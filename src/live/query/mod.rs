//! SQL for live sessions.

pub(crate) mod attendance;
pub(crate) mod calendar;
pub(crate) mod family;
pub(crate) mod list;
pub(crate) mod session;
pub(crate) mod statistics;
pub(crate) mod usage;
