//! Live sessions, who takes part in them, and the hours that members have for them.

mod attendance;
mod eligibility;
mod family;
mod input;
mod list;
mod recurrence;
mod session;
mod statistics;
mod usage;

pub(crate) use attendance::Place;
pub use attendance::Seats;
pub use attendance::{Attendance, AttendanceId, AttendanceStatus};
pub(crate) use eligibility::wrong_length;
pub use eligibility::{Eligibility, EligibilityReason};
pub use family::{MemberUsage, Pool};
pub use input::{
    CancelLiveSessionInput, CreateLiveSessionInput, DeleteLiveSessionInput, JoinLiveSessionInput,
    LeaveLiveSessionInput, RecordAttendanceInput, SetCalendarFeedInput, UpdateLiveSessionInput,
};
pub(crate) use input::{RecurrenceInput, SeriesScope};
pub use list::{LiveSessionFilter, SessionWhich};
pub(crate) use recurrence::{Bad, occurrences, shifted};
pub use session::LiveSeriesId;
pub use session::{LiveSession, LiveSessionId, LiveSessionStatus};
pub(crate) use session::{NewSession, NewTimes, SessionChanges, next_reminder};
pub(crate) use statistics::{Bucket, MonthSum, Person, Sums};
pub use usage::hours;
pub(crate) use usage::{Allowance, Hours};
pub use usage::{Usage, UsageWarning};
