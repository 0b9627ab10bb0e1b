//! SQL for lists of sessions.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::catalog;
use crate::graphql::page::Page;
use crate::live::model::{AttendanceStatus, LiveSession, LiveSessionId, LiveSessionStatus, SessionWhich};
use crate::platform::db::schema::{live_attendances, live_sessions};
use crate::platform::db::{RunQueryDsl, oldest_first};

/// The maximum number of sessions with a place of a user that are listed.
const MOST_PLACES: i64 = 1000;

/// Returns a page of sessions, earliest first, in the page's direction.
///
/// Takes a shared connection, so that several pages can be pipelined.
pub(crate) async fn page(
    mut conn: &AsyncPgConnection,
    which: &SessionWhich,
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> QueryResult<Vec<LiveSession>> {
    let places = places(conn, which).await?;
    let rows = filtered(which, &places).select(LiveSession::as_select());
    oldest_first!(&mut conn, rows, live_sessions::starts_at, live_sessions::id, page)
}

/// Counts the sessions of a list.
pub(crate) async fn count(mut conn: &AsyncPgConnection, which: &SessionWhich) -> QueryResult<i64> {
    let places = places(conn, which).await?;
    filtered(which, &places).count().get_result(&mut conn).await
}

/// Returns the latest sessions that a user hosts, for the export of their data.
pub(crate) async fn hosted(conn: &mut AsyncPgConnection, host: UserId, limit: i64) -> QueryResult<Vec<LiveSession>> {
    live_sessions::table
        .filter(live_sessions::host_id.eq(host))
        .order((live_sessions::starts_at.desc(), live_sessions::id.desc()))
        .limit(limit)
        .select(LiveSession::as_select())
        .load(conn)
        .await
}

/// Returns the sessions in which the user of a list has a place, the latest thousand.
///
/// Asked for by itself, so that the list is read by the ids and by the host, each with its index.
async fn places(mut conn: &AsyncPgConnection, which: &SessionWhich) -> QueryResult<Vec<LiveSessionId>> {
    let Some(user) = which.of else { return Ok(Vec::new()) };
    live_attendances::table
        .filter(live_attendances::user_id.eq(user).and(live_attendances::status.ne(AttendanceStatus::Released)))
        .order((live_attendances::since.desc(), live_attendances::id.desc()))
        .limit(MOST_PLACES)
        .select(live_attendances::session_id)
        .load(&mut conn)
        .await
}

fn filtered<'a>(which: &'a SessionWhich, places: &'a [LiveSessionId]) -> live_sessions::BoxedQuery<'a, Pg> {
    let mut rows = live_sessions::table.into_boxed();
    if let Some(course) = which.course {
        rows = rows.filter(live_sessions::course_id.eq(course));
    }
    if let Some(category) = which.category {
        rows = rows.filter(live_sessions::category_id.eq(category));
    }
    if let Some(host) = which.host {
        rows = rows.filter(live_sessions::host_id.eq(host));
    }
    if let Some(from) = which.from {
        rows = rows.filter(live_sessions::starts_at.ge(from));
    }
    if let Some(to) = which.to {
        rows = rows.filter(live_sessions::starts_at.lt(to));
    }
    if let Some(user) = which.of {
        rows = rows.filter(live_sessions::host_id.eq(user).or(live_sessions::id.eq_any(places)));
    }
    if which.published {
        let open = live_sessions::course_id.eq_any(catalog::published_ids());
        rows = rows.filter(live_sessions::course_id.is_null().or(open));
    }
    if let Some((statuses, now)) = &which.statuses {
        use live_sessions::{canceled_at, ends_at, starts_at};
        let wanted = |status| statuses.contains(&status).into_sql::<Bool>();
        let scheduled = starts_at.gt(*now).and(wanted(LiveSessionStatus::Scheduled));
        let live = starts_at.le(*now).and(ends_at.gt(*now)).and(wanted(LiveSessionStatus::Live));
        let ended = ends_at.le(*now).and(wanted(LiveSessionStatus::Ended));
        let canceled = canceled_at.is_not_null().and(wanted(LiveSessionStatus::Canceled));
        rows = rows.filter(canceled.or(canceled_at.is_null().and(scheduled.or(live).or(ended))));
    }
    rows
}
