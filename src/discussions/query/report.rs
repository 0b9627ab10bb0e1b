//! SQL for reports of posts.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::discussions::model::{Post, Report, ReportId, Resolution, WhichReports};
use crate::graphql::page::Page;
use crate::platform::clock::Clock;
use crate::platform::db::schema::{post_reports, posts};
use crate::platform::db::{RunQueryDsl, Tx};

/// Reports a post. A user reports it once: another time returns the first report.
pub async fn insert(
    tx: &mut Tx,
    clock: &Clock,
    post: &Post,
    reporter: Option<UserId>,
    reason: &str,
) -> QueryResult<Report> {
    let made: Option<Report> = diesel::insert_into(post_reports::table)
        .values((
            post_reports::id.eq(clock.uuid()),
            post_reports::course_id.eq(post.course_id),
            post_reports::post_id.eq(post.id),
            post_reports::reporter_id.eq(reporter),
            post_reports::reason.eq(reason),
            post_reports::created_at.eq(clock.now()),
        ))
        .on_conflict_do_nothing()
        .returning(Report::as_returning())
        .get_result(tx.conn())
        .await
        .optional()?;
    if let Some(made) = made {
        return Ok(made);
    }
    post_reports::table
        .filter(post_reports::post_id.eq(post.id).and(post_reports::reporter_id.eq(reporter)))
        .select(Report::as_select())
        .first(tx.conn())
        .await
}

/// Resolves the open reports of a post; returns how many there were.
pub async fn resolve(tx: &mut Tx, post: Uuid, resolution: Resolution, now: DateTime<Utc>) -> QueryResult<usize> {
    let open = post_reports::post_id.eq(post).and(post_reports::resolved_at.is_null());
    diesel::update(post_reports::table.filter(open))
        .set((post_reports::resolved_at.eq(now), post_reports::resolution.eq(resolution)))
        .execute(tx.conn())
        .await
}

/// Resolves the open reports of the replies to a post that are deleted with it.
pub(crate) async fn resolve_of_replies(
    tx: &mut Tx,
    parent: Uuid,
    resolution: Resolution,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    let replies = posts::table.filter(posts::parent_id.eq(parent)).select(posts::id.nullable());
    let open = post_reports::post_id.eq_any(replies).and(post_reports::resolved_at.is_null());
    diesel::update(post_reports::table.filter(open))
        .set((post_reports::resolved_at.eq(now), post_reports::resolution.eq(resolution)))
        .execute(tx.conn())
        .await
}

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[ReportId]) -> QueryResult<Vec<Report>> {
    post_reports::table.filter(post_reports::id.eq_any(ids)).select(Report::as_select()).load(conn).await
}

/// Selects the reports of a list.
macro_rules! listed {
    ($which:expr) => {{
        let which: &WhichReports = $which;
        let mut rows = post_reports::table.into_boxed();
        if let Some(courses) = &which.courses {
            rows = rows.filter(post_reports::course_id.eq_any(courses.to_vec()));
        }
        match which.is_resolved {
            None => {}
            Some(true) => rows = rows.filter(post_reports::resolved_at.is_not_null()),
            Some(false) => rows = rows.filter(post_reports::resolved_at.is_null()),
        }
        rows
    }};
}

/// Returns a page of reports, latest first, in the page's direction.
///
/// Takes a shared connection, so that several pages can be pipelined.
pub async fn page(mut conn: &AsyncPgConnection, which: &WhichReports, page: &Page<Uuid>) -> QueryResult<Vec<Report>> {
    let rows = listed!(which)
        .filter(post_reports::id.lt(page.after.unwrap_or(Uuid::max())))
        .filter(post_reports::id.gt(page.before.unwrap_or(Uuid::nil())))
        .limit(page.fetch())
        .select(Report::as_select());
    match page.backward {
        true => rows.order(post_reports::id.asc()).load(&mut conn).await,
        false => rows.order(post_reports::id.desc()).load(&mut conn).await,
    }
}

/// Counts the reports of a list.
pub(crate) async fn count(mut conn: &AsyncPgConnection, which: &WhichReports) -> QueryResult<i64> {
    listed!(which).count().get_result(&mut conn).await
}

/// Returns the latest reports by a user, for the export of their data.
pub(crate) async fn latest_of(conn: &mut AsyncPgConnection, user: UserId, limit: i64) -> QueryResult<Vec<Report>> {
    post_reports::table
        .filter(post_reports::reporter_id.eq(user))
        .order(post_reports::id.desc())
        .limit(limit)
        .select(Report::as_select())
        .load(conn)
        .await
}

/// Removes who has made the reports of a user.
pub(crate) async fn forget_user(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    diesel::update(post_reports::table.filter(post_reports::reporter_id.eq(user)))
        .set((post_reports::reporter_id.eq(None::<UserId>), post_reports::reason.eq("")))
        .execute(tx.conn())
        .await
}
