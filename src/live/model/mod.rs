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

pub use attendance::{Attendance, AttendanceId, AttendanceStatus};
pub(super) use attendance::{Place, Seats};
pub(super) use eligibility::{Eligibility, EligibilityReason, wrong_length};
pub(super) use family::{MemberUsage, Pool};
pub(super) use input::{
    CancelLiveSessionInput, CreateLiveSessionInput, DeleteLiveSessionInput, JoinLiveSessionInput,
    LeaveLiveSessionInput, RecordAttendanceInput, RecurrenceInput, SeriesScope, SetCalendarFeedInput,
    UpdateLiveSessionInput,
};
pub(super) use list::{LiveSessionFilter, SessionWhich};
pub(super) use recurrence::{Bad, occurrences, shifted};
pub(super) use session::LiveSeriesId;
pub use session::{LiveSession, LiveSessionId, LiveSessionStatus};
pub(super) use session::{NewSession, NewTimes, SessionChanges, next_reminder};
pub(super) use statistics::{Bucket, MonthSum, Person, Sums};
pub(super) use usage::{Allowance, Hours, hours};
pub use usage::{Usage, UsageWarning};
