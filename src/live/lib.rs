//! Live classes: sessions with a host and a time, and the hours that members have for them.
//!
//! Who joins a session holds a seat and the session's minutes in the ledger of their month (`live_usage`), under the
//! lock of the session and of that month, so that neither seats nor hours are given twice. The end of the session
//! settles both at once: who was there has attended it, the others get their minutes back. Hours are whole minutes, and
//! a month begins at its first instant in the time zone of the school.

use crate as live;
use lyceum_accounts as accounts;
use lyceum_catalog as catalog;
use lyceum_graphql as graphql;
use lyceum_memberships as memberships;
use lyceum_platform as platform;

pub mod command;
pub mod error;
pub mod event;
mod job;
pub mod loader;
pub mod model;
pub mod policy;
mod query;

pub use command::{calendar_feed, import, my_data, session_file, session_title};
pub use event::{LiveSeatGranted, LiveSeatLost, LiveSessionChanged, LiveSessionSoon, LiveUsageChanged, SessionChange};
pub use job::handlers;
pub use loader::LiveSessionById;
pub use model::{
    Attendance, AttendanceId, AttendanceStatus, LiveSession, LiveSessionId, LiveSessionStatus, Usage, UsageWarning,
};
