//! Live classes: sessions with a host and a time, and the hours that members have for them.
//!
//! Who joins a session holds a seat and the session's minutes in the ledger of their month (`live_usage`), under the
//! lock of the session and of that month, so that neither seats nor hours are given twice. The end of the session
//! settles both at once: who was there has attended it, the others get their minutes back. Hours are whole minutes, and
//! a month begins at its first instant in the time zone of the school.

mod command;
mod error;
mod event;
mod graphql;
mod job;
mod loader;
mod model;
mod policy;
mod query;

pub use command::{calendar_feed, import, my_data, session_file, session_title};
pub use event::{LiveSeatGranted, LiveSeatLost, LiveSessionChanged, LiveSessionSoon, LiveUsageChanged, SessionChange};
pub use graphql::{LiveSessionObject, LiveSubscription, mutations, nodes, queries, viewer_fields};
pub(crate) use graphql::{SubscriptionUsageObject, family_hours_used, usage_of_user};
pub use job::handlers;
pub use loader::LiveSessionById;
pub use model::{
    Attendance, AttendanceId, AttendanceStatus, LiveSession, LiveSessionId, LiveSessionStatus, Usage, UsageWarning,
};
