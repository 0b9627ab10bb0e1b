//! SQL for live sessions.

pub(super) mod attendance;
pub(super) mod calendar;
pub(super) mod family;
pub(super) mod list;
pub(super) mod session;
pub(super) mod statistics;
pub(super) mod usage;

use crate::platform::db::schema::{live_attendances, live_sessions};

// diesel.toml says why not all.
diesel::allow_tables_to_appear_in_same_query!(live_attendances, live_sessions);
