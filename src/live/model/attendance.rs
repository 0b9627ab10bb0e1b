//! Attendances: who takes part in a live session.

use async_graphql::Enum;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde::{Deserialize, Serialize};

use super::LiveSessionId;
use crate::accounts::UserId;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::live_attendances;
use crate::platform::db::stored_as_text;

/// An attendance's id: `attendance_01j…`.
pub type AttendanceId = Id<Attendance>;

/// A user in a live session. There is one for each user and session.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable)]
#[diesel(table_name = live_attendances, check_for_backend(diesel::pg::Pg))]
pub struct Attendance {
    /// The id.
    pub id: AttendanceId,
    /// The session.
    pub session_id: LiveSessionId,
    /// The user.
    pub user_id: UserId,
    /// The state.
    pub status: AttendanceStatus,
    /// What it costs, in minutes; for those who were absent, what it would have.
    pub minutes: i32,
    /// The first day of the month that it is charged to.
    pub month: NaiveDate,
    /// Since when the user has the seat, or the place in the waiting list.
    pub since: DateTime<Utc>,
    /// When the user entered.
    pub joined_at: Option<DateTime<Utc>>,
    /// When the user left.
    pub left_at: Option<DateTime<Utc>>,
    /// Whether the user was there, as the host has recorded it.
    pub recorded: Option<bool>,
    /// When it was settled.
    pub settled_at: Option<DateTime<Utc>>,
    /// Whose hours pay for it: the owner of the family in which the user was then; `None` for the user's own.
    pub payer_id: Option<UserId>,
}

impl Attendance {
    /// Whose hours pay for it.
    pub fn payer(&self) -> UserId {
        self.payer_id.unwrap_or(self.user_id)
    }

    /// Whether the user has entered, and not left. Who only has a seat may not come, and gets the hour back then.
    pub fn is_inside(&self) -> bool {
        self.status == AttendanceStatus::Held && self.joined_at.is_some() && self.left_at.is_none()
    }
}

impl Entity for Attendance {
    const PREFIX: &'static str = "attendance";
}

/// The state of an attendance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AttendanceStatus {
    /// The user waits for a seat. No hours are held.
    Waiting,
    /// The user has a seat, and its hours are held.
    Held,
    /// The user was there, which has used the hours.
    Attended,
    /// The user had a seat and was not there. The hours were given back.
    Absent,
    /// The user gave the seat or the place in the waiting list back, or the session was canceled. The hours were given
    /// back.
    Released,
}

stored_as_text!(AttendanceStatus {
    Waiting = "WAITING",
    Held = "HELD",
    Attended = "ATTENDED",
    Absent = "ABSENT",
    Released = "RELEASED",
});

/// An attendance to insert, or to begin again after it was released.
#[derive(Clone, Debug, Insertable, AsChangeset)]
#[diesel(table_name = live_attendances, treat_none_as_null = true)]
pub(crate) struct Place {
    pub status: AttendanceStatus,
    pub minutes: i32,
    pub month: NaiveDate,
    pub since: DateTime<Utc>,
    pub joined_at: Option<DateTime<Utc>>,
    pub left_at: Option<DateTime<Utc>>,
    pub recorded: Option<bool>,
    pub payer_id: Option<UserId>,
}

/// How many places of a session are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seats {
    /// Those with a seat.
    pub(crate) taken: i64,
    /// Those who wait for one.
    pub waiting: i64,
}

impl Seats {
    /// The seats that are left out of `capacity`; `None` if there is no limit.
    pub fn left(self, capacity: Option<i32>) -> Option<i64> {
        capacity.map(|capacity| (i64::from(capacity) - self.taken).max(0))
    }
}
