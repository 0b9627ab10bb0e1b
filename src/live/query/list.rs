//! SQL for lists of sessions.

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::catalog;
use crate::graphql::page::Page;
use crate::live::model::{AttendanceStatus, LiveSession, LiveSessionStatus, SessionWhich};
use crate::platform::db::schema::{live_attendances, live_sessions};
use crate::platform::db::{RunQueryDsl, oldest_first};

/// Returns a page of sessions, earliest first, in the page's direction.
///
/// Takes a shared connection, so that several pages can be pipelined.
pub(in crate::live) async fn page(
    mut conn: &AsyncPgConnection,
    which: &SessionWhich,
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> QueryResult<Vec<LiveSession>> {
    let rows = filtered(which).select(LiveSession::as_select());
    oldest_first!(&mut conn, rows, live_sessions::starts_at, live_sessions::id, page)
}

/// Counts the sessions of a list.
pub(in crate::live) async fn count(mut conn: &AsyncPgConnection, which: &SessionWhich) -> QueryResult<i64> {
    filtered(which).count().get_result(&mut conn).await
}

/// Returns the latest sessions that a user hosts, for the export of their data.
pub(in crate::live) async fn hosted(
    conn: &mut AsyncPgConnection,
    host: UserId,
    limit: i64,
) -> QueryResult<Vec<LiveSession>> {
    live_sessions::table
        .filter(live_sessions::host_id.eq(host))
        .order((live_sessions::starts_at.desc(), live_sessions::id.desc()))
        .limit(limit)
        .select(LiveSession::as_select())
        .load(conn)
        .await
}

fn filtered(which: &SessionWhich) -> live_sessions::BoxedQuery<'_, Pg> {
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
        let places = live_attendances::table
            .filter(live_attendances::session_id.eq(live_sessions::id).and(live_attendances::user_id.eq(user)))
            .filter(live_attendances::status.ne(AttendanceStatus::Released));
        rows = rows.filter(live_sessions::host_id.eq(user).or(exists(places)));
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
