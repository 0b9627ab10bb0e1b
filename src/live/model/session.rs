//! Live sessions and the series that they belong to.

use async_graphql::Enum;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::accounts::UserId;
use crate::catalog::{CategoryId, CourseId};
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::live_sessions;

/// How long before the start participants are let in.
pub(crate) const DOORS: TimeDelta = TimeDelta::minutes(15);

/// A live session's id: `live_session_01j…`.
pub type LiveSessionId = Id<LiveSession>;

/// The id of a series of live sessions: `live_series_01j…`.
pub type LiveSeriesId = Id<LiveSeries>;

/// The sessions that were made with one recurrence rule.
#[derive(Clone, Debug)]
pub struct LiveSeries;

impl Entity for LiveSeries {
    const PREFIX: &'static str = "live_series";
}

/// A live session.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable)]
#[diesel(table_name = live_sessions, check_for_backend(diesel::pg::Pg))]
pub struct LiveSession {
    /// The id.
    pub id: LiveSessionId,
    /// The series that it was made with.
    pub series_id: Option<LiveSeriesId>,
    /// Who gives it.
    pub host_id: UserId,
    /// The course that it is about. Stays when the course is deleted, so that its sessions are found and stay hidden.
    pub course_id: Option<CourseId>,
    /// The category that it is about; `None` if there is a course.
    pub category_id: Option<CategoryId>,
    /// The title.
    pub title: String,
    /// When it starts.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// The number of seats; `None` for no limit.
    pub capacity: Option<i32>,
    /// Where the meeting is. Only for those who are let in.
    pub meeting_url: Option<String>,
    /// The version; each edit increments it.
    pub version: i32,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When the host or the first participant entered.
    pub started_at: Option<DateTime<Utc>>,
    /// When the last participant left, or it ended; set when it is settled.
    pub ended_at: Option<DateTime<Utc>>,
    /// When it was canceled.
    pub canceled_at: Option<DateTime<Utc>>,
    /// When its attendances were settled.
    pub settled_at: Option<DateTime<Utc>>,
    /// Whether a user has, or had, a place in it, also after its attendances were deleted; `None` if it is not known of an
    /// old one.
    pub had_places: Option<bool>,
}

impl Entity for LiveSession {
    const PREFIX: &'static str = "live_session";
}

/// The state of a live session. Follows from the time, unless it was canceled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LiveSessionStatus {
    /// It has not started.
    Scheduled,
    /// It takes place now.
    Live,
    /// It is over.
    Ended,
    /// It was canceled.
    Canceled,
}

impl LiveSession {
    /// The state at a time.
    pub fn status(&self, now: DateTime<Utc>) -> LiveSessionStatus {
        match self.canceled_at {
            Some(_) => LiveSessionStatus::Canceled,
            None if now >= self.ends_at => LiveSessionStatus::Ended,
            None if now >= self.starts_at => LiveSessionStatus::Live,
            None => LiveSessionStatus::Scheduled,
        }
    }

    /// The length in whole minutes, which is what it costs.
    pub fn minutes(&self) -> i32 {
        i32::try_from((self.ends_at - self.starts_at).num_minutes()).unwrap_or(i32::MAX)
    }

    /// Whether participants are let in at a time: from 15 minutes before the start until the end.
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.canceled_at.is_none() && now >= self.starts_at - DOORS && now < self.ends_at
    }
}

/// A session to insert.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = live_sessions)]
pub(crate) struct NewSession {
    pub id: LiveSessionId,
    pub series_id: Option<LiveSeriesId>,
    pub host_id: UserId,
    pub course_id: Option<CourseId>,
    pub category_id: Option<CategoryId>,
    pub title: String,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub capacity: Option<i32>,
    pub meeting_url: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) remind_at: Option<DateTime<Utc>>,
}

/// When the participants of a session that starts at `start` are reminded next: a day before, and when they are let in.
pub(crate) fn next_reminder(start: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    [start - TimeDelta::hours(24), start - DOORS].into_iter().find(|at| *at > now)
}

/// The times of a session that is moved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewTimes {
    pub id: LiveSessionId,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub(crate) remind_at: Option<DateTime<Utc>>,
}

/// What an edit changes besides the time.
#[derive(Clone, Debug, Default, AsChangeset)]
#[diesel(table_name = live_sessions)]
pub(crate) struct SessionChanges {
    pub title: Option<String>,
    pub capacity: Option<Option<i32>>,
    pub meeting_url: Option<Option<String>>,
}
