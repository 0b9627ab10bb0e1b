//! The inputs of mutations.

use async_graphql::{Enum, InputObject, MaybeUndefined};

use super::LiveSessionId;
use crate::accounts::UserId;
use crate::catalog::{CategoryId, CourseId};
use crate::graphql::{Idempotency, Time};

/// How a session recurs. Each session of the series is an object of its own.
#[derive(Clone, Debug, InputObject)]
pub struct RecurrenceInput {
    /// A recurrence rule (RFC 5545), such as `FREQ=WEEKLY;COUNT=10`: daily, weekly, monthly or yearly, with COUNT or
    /// UNTIL, at most 200 sessions. The first one is at `startsAt`.
    pub rule: String,
    /// The IANA time zone in which the sessions stay at the same time of the day, such as `Europe/Berlin`.
    pub time_zone: String,
}

/// The input of `createLiveSession`.
#[derive(Clone, Debug, InputObject)]
pub struct CreateLiveSessionInput {
    /// The course that it is about. Required unless you are an administrator.
    pub course_id: Option<CourseId>,
    /// The category that it is about; pass either this or `courseId`, or neither.
    pub category_id: Option<CategoryId>,
    /// Who gives it; defaults to you. Only administrators may choose another host.
    pub host_id: Option<UserId>,
    /// The title, 1 to 200 characters.
    pub title: String,
    /// When it starts.
    pub starts_at: Time,
    /// When it ends: exactly 60 minutes later, unless the school allows other lengths.
    pub ends_at: Time,
    /// The number of seats, 1 to 10,000; omit for no limit.
    pub capacity: Option<i32>,
    /// Where the meeting is: an http or https URL. Only participants who have entered see it.
    pub meeting_url: Option<String>,
    /// How it recurs; omit for a single session.
    pub recurrence: Option<RecurrenceInput>,
    /// Identifies this request.
    #[graphql(flatten)]
    pub once: Idempotency,
}

/// Which sessions of a series a change is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub enum SeriesScope {
    /// Only this session.
    #[default]
    One,
    /// This session and all later ones of its series.
    Following,
    /// All sessions of its series that have not started.
    All,
}

/// The input of `updateLiveSession`. What is omitted stays as it is.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateLiveSessionInput {
    /// The session.
    pub live_session_id: LiveSessionId,
    /// The version that you have read; it is compared, so that no other change is overwritten.
    pub version: i32,
    /// Which sessions of its series to change as well; those that have started or were canceled stay as they are.
    #[graphql(default)]
    pub scope: SeriesScope,
    /// The title, 1 to 200 characters.
    pub title: Option<String>,
    /// When it starts. Other sessions of the series are moved by as much, in the series' time zone. Participants keep
    /// their seats as far as their hours reach if it is moved to another month.
    pub starts_at: Option<Time>,
    /// When it ends.
    pub ends_at: Option<Time>,
    /// The number of seats, not fewer than are taken; null for no limit.
    pub capacity: MaybeUndefined<i32>,
    /// Where the meeting is; null removes it.
    pub meeting_url: MaybeUndefined<String>,
}

/// The input of `cancelLiveSession`.
#[derive(Clone, Debug, InputObject)]
pub struct CancelLiveSessionInput {
    /// The session.
    pub live_session_id: LiveSessionId,
    /// Which sessions of its series to cancel as well.
    #[graphql(default)]
    pub scope: SeriesScope,
}

/// The input of `deleteLiveSession`.
#[derive(Clone, Debug, InputObject)]
pub struct DeleteLiveSessionInput {
    /// The session, in which no user has ever had a place.
    pub live_session_id: LiveSessionId,
}

/// The input of `joinLiveSession`.
#[derive(Clone, Debug, InputObject)]
pub struct JoinLiveSessionInput {
    /// The session.
    pub live_session_id: LiveSessionId,
    /// Whether to take a place in the waiting list if the session is full. Defaults to false.
    #[graphql(default)]
    pub wait: bool,
}

/// The input of `leaveLiveSession`.
#[derive(Clone, Debug, InputObject)]
pub struct LeaveLiveSessionInput {
    /// The session.
    pub live_session_id: LiveSessionId,
}

/// Whether a participant was there.
#[derive(Clone, Debug, InputObject)]
pub struct AttendanceEntryInput {
    /// The participant.
    pub user_id: UserId,
    /// Whether they were there.
    pub attended: bool,
}

/// The input of `recordAttendance`.
#[derive(Clone, Debug, InputObject)]
pub struct RecordAttendanceInput {
    /// The session, which has started.
    pub live_session_id: LiveSessionId,
    /// Who was there and who was not, 1 to 500 participants, each once.
    pub entries: Vec<AttendanceEntryInput>,
}

/// The input of `setCalendarFeed`.
#[derive(Clone, Debug, InputObject)]
pub struct SetCalendarFeedInput {
    /// Whether there is a URL: true makes a new one, false only ends the earlier one.
    pub is_enabled: bool,
}
