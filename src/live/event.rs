//! The events of live sessions. No field ends with `_id`: an event with `user_id` or `course_id` says that those have
//! changed.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::model::LiveSessionId;
use crate::accounts::UserId;
use crate::platform::outbox::Event;

/// The topic of the hours of a user.
pub fn usage_topic(user: UserId) -> String {
    format!("live_usage:{}", user.uuid())
}

/// What has happened to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SessionChange {
    /// It is at another time.
    Rescheduled,
    /// It was canceled.
    Canceled,
}

/// A session was moved or canceled, which a participant is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LiveSessionChanged {
    /// The session.
    pub session: LiveSessionId,
    /// Who had a seat or waited for one.
    pub participant: UserId,
    /// What has happened.
    pub change: SessionChange,
    /// The version of the session since then.
    pub version: i32,
}

impl Event for LiveSessionChanged {
    const KIND: &'static str = "live_session_changed";
}

/// A session starts soon, of which a participant is reminded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LiveSessionSoon {
    /// The session.
    pub session: LiveSessionId,
    /// Who has a seat.
    pub participant: UserId,
    /// When it starts.
    pub starts_at: DateTime<Utc>,
    /// Whether participants are let in now; otherwise it starts in a day.
    pub is_open: bool,
}

impl Event for LiveSessionSoon {
    const KIND: &'static str = "live_session_soon";
}

/// A user moved up from the waiting list and has a seat.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LiveSeatGranted {
    /// The session.
    pub session: LiveSessionId,
    /// The user.
    pub participant: UserId,
    /// Since when.
    pub at: DateTime<Utc>,
}

impl Event for LiveSeatGranted {
    const KIND: &'static str = "live_seat_granted";
}

/// A user has lost their seat: their membership or hours do not cover it anymore.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LiveSeatLost {
    /// The session.
    pub session: LiveSessionId,
    /// The user.
    pub participant: UserId,
    /// Since when.
    pub at: DateTime<Utc>,
}

impl Event for LiveSeatLost {
    const KIND: &'static str = "live_seat_lost";
}

/// The hours of a user in a month have changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LiveUsageChanged {
    /// The user.
    pub user: UserId,
    /// The family members with whom they share the hours.
    #[serde(default)]
    pub family: Vec<UserId>,
    /// The first day of the month.
    pub month: NaiveDate,
    /// Whether 80 % of the hours are spent since then; they were not before.
    pub nearly_used: bool,
    /// Whether all hours are spent since then; they were not before.
    pub used_up: bool,
}

impl Event for LiveUsageChanged {
    const KIND: &'static str = "live_usage_changed";

    fn topics(&self) -> Vec<String> {
        [self.user].iter().chain(&self.family).map(|user| usage_topic(*user)).collect()
    }
}
