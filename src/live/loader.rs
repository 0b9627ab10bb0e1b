//! Loads sessions, places and hours in batches. They are not cached across requests.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::{FutureExt, TryFutureExt};
use uuid::Uuid;

use super::command;
use super::model::{Attendance, AttendanceId, Hours, LiveSession, LiveSessionId, MemberUsage, Seats, SessionWhich};
use super::query::{attendance, family, list, session};
use crate::accounts::UserId;
use crate::graphql::loaders::{Load, shared};
use crate::graphql::page::Page;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// One session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LiveSessionById(pub LiveSessionId);

impl Load for LiveSessionById {
    type Value = Arc<LiveSession>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<LiveSession>>, InternalError> {
        let ids: Vec<LiveSessionId> = keys.iter().map(|key| key.0).collect();
        let rows = session::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (LiveSessionById(row.id), Arc::new(row))).collect())
    }
}

/// How many places of a session are taken; missing if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SeatsOf(pub LiveSessionId);

impl Load for SeatsOf {
    type Value = Seats;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Seats>, InternalError> {
        let ids: Vec<LiveSessionId> = keys.iter().map(|key| key.0).collect();
        let rows = attendance::seats(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|(id, seats)| (SeatsOf(id), seats)).collect())
    }
}

/// The place of a user in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttendanceIn {
    /// The session.
    pub session: LiveSessionId,
    /// The user.
    pub user: UserId,
}

impl Load for AttendanceIn {
    type Value = Arc<Attendance>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Attendance>>, InternalError> {
        let (sessions, users) = (distinct(keys, |key| key.session), distinct(keys, |key| key.user));
        let rows = attendance::of(&mut *app.db.read().await?, &sessions, &users).await?;
        let key = |row: &Attendance| AttendanceIn { session: row.session_id, user: row.user_id };
        Ok(rows.into_iter().map(|row| (key(&row), Arc::new(row))).collect())
    }
}

fn distinct<K, V: Copy + Eq + Hash>(keys: &[K], part: impl Fn(&K) -> V) -> Vec<V> {
    keys.iter().map(part).collect::<HashSet<V>>().into_iter().collect()
}

/// One attendance.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AttendanceById(pub AttendanceId);

impl Load for AttendanceById {
    type Value = Arc<Attendance>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Attendance>>, InternalError> {
        let ids: Vec<AttendanceId> = keys.iter().map(|key| key.0).collect();
        let rows = attendance::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (AttendanceById(row.id), Arc::new(row))).collect())
    }
}

/// The hours of a user in a month, which is named by its first day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UsageOf {
    /// The user.
    pub user: UserId,
    /// The month.
    pub month: NaiveDate,
    /// When the membership gives them, for a session in which they would be spent; `None` for the month as a whole.
    pub at: Option<DateTime<Utc>>,
}

impl Load for UsageOf {
    type Value = Hours;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Hours>, InternalError> {
        command::usage_of(app, keys).await
    }
}

/// What a member has used of the hours of a payer's family in a month, which is named by its first day; missing if that
/// is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MemberUsageOf {
    /// The member of the family.
    pub member: UserId,
    /// The month.
    pub month: NaiveDate,
    /// The payer, whose hours they are.
    pub payer: UserId,
}

impl Load for MemberUsageOf {
    type Value = MemberUsage;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, MemberUsage>, InternalError> {
        let (members, months) = (distinct(keys, |key| key.member), distinct(keys, |key| key.month));
        let rows = family::of(&mut *app.db.read().await?, &members, &months).await?;
        let key = |row: &MemberUsage| MemberUsageOf { member: row.user_id, month: row.month, payer: row.payer_id };
        Ok(rows.into_iter().map(|row| (key(&row), row)).collect())
    }
}

/// A page of sessions, in the direction of the page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionPage(pub SessionWhich, pub Page<(DateTime<Utc>, Uuid)>);

impl Load for SessionPage {
    type Value = Vec<Arc<LiveSession>>;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let read = app
            .db
            .read_each(keys, |conn, SessionPage(which, page)| list::page(conn, which, page).map_ok(shared).boxed());
        read.await
    }
}

/// The number of sessions in a list.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionCount(pub SessionWhich);

impl Load for SessionCount {
    type Value = i64;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        app.db.read_each(keys, |conn, key| list::count(conn, &key.0).boxed()).await
    }
}

/// A page of the participants of a session, in the direction of the page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AttendancePage(pub LiveSessionId, pub Page<(DateTime<Utc>, Uuid)>);

impl Load for AttendancePage {
    type Value = Vec<Arc<Attendance>>;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let read = app.db.read_each(keys, |conn, AttendancePage(session, page)| {
            attendance::page(conn, *session, page).map_ok(shared).boxed()
        });
        read.await
    }
}

/// The number of participants of a session.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AttendanceCount(pub LiveSessionId);

impl Load for AttendanceCount {
    type Value = i64;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        app.db.read_each(keys, |conn, key| attendance::count(conn, key.0).boxed()).await
    }
}
