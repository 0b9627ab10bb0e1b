//! SQL for announcements.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Jsonb, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use serde_json::Value;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::graphql::page::Page;
use crate::notifications::model::{Announcement, AnnouncementId, AnnouncementState, Report};
use crate::platform::db::schema::announcements;
use crate::platform::db::{RunQueryDsl, Tx, sql_query};

#[derive(Insertable)]
#[diesel(table_name = announcements)]
pub(crate) struct NewAnnouncement<'a> {
    pub id: AnnouncementId,
    pub author_id: UserId,
    pub audience: &'a str,
    pub title: &'a str,
    pub body: &'a str,
    pub publish_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
}

pub(crate) async fn insert(tx: &mut Tx, new: &NewAnnouncement<'_>) -> QueryResult<Announcement> {
    let row = diesel::insert_into(announcements::table).values(new).returning(Announcement::as_returning());
    row.get_result(tx.conn()).await
}

pub(crate) async fn lock(tx: &mut Tx, id: AnnouncementId) -> QueryResult<Option<Announcement>> {
    let row = announcements::table.find(id).select(Announcement::as_select()).for_no_key_update();
    row.first(tx.conn()).await.optional()
}

/// Marks a locked announcement as published.
pub(crate) async fn publish(tx: &mut Tx, id: AnnouncementId, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(announcements::table.find(id)).set(announcements::published_at.eq(now)).execute(tx.conn()).await
}

/// Adds to the number of users who are shown an announcement.
pub(crate) async fn add_delivered(tx: &mut Tx, id: AnnouncementId, users: i64) -> QueryResult<usize> {
    diesel::update(announcements::table.find(id))
        .set(announcements::delivered_count.eq(announcements::delivered_count + users))
        .execute(tx.conn())
        .await
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = SqlUuid)]
    id: AnnouncementId,
    #[diesel(sql_type = Jsonb)]
    report: Value,
}

/// What became of the deliveries of the announcements `$1`, a row for each, as a [`Report`].
fn reports() -> String {
    let tally = |channel: &str| {
        let count = |name: &str, statuses: &str| {
            format!("'{name}', count(*) FILTER (WHERE channel = '{channel}' AND status IN ({statuses}))")
        };
        format!(
            "jsonb_build_object({}, {}, {}, {}, {})",
            count("waiting", "'PENDING', 'SENDING'"),
            count("sent", "'SENT'"),
            count("failed", "'FAILED'"),
            count("suppressed", "'SUPPRESSED'"),
            count("skipped", "'SKIPPED'"),
        )
    };
    format!(
        "SELECT announcement.id, jsonb_build_object('email', {}, 'push', {}) AS report \
         FROM unnest($1) AS announcement (id) \
         LEFT JOIN notifications AS n ON n.group_key = 'ANNOUNCEMENT/' || announcement.id \
         LEFT JOIN notification_deliveries AS delivery ON delivery.notification_id = n.id GROUP BY announcement.id",
        tally("EMAIL"),
        tally("PUSH")
    )
}

/// Returns what became of the mails and push messages of announcements, whose rows are deleted after some time.
pub(crate) async fn count_deliveries(
    conn: &mut AsyncPgConnection,
    ids: &[AnnouncementId],
) -> QueryResult<HashMap<AnnouncementId, Report>> {
    let rows: Vec<Counted> = sql_query(reports()).bind::<Array<SqlUuid>, _>(ids).load(conn).await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.id, serde_json::from_value(row.report).ok()?))).collect())
}

/// Keeps what became of the mails and push messages of announcements, whose rows are deleted next.
pub(crate) async fn keep_reports(tx: &mut Tx, ids: &[AnnouncementId]) -> QueryResult<usize> {
    sql_query(format!(
        "UPDATE announcements SET report = counted.report FROM ({}) AS counted \
         WHERE announcements.id = counted.id AND announcements.report IS NULL",
        reports()
    ))
    .bind::<Array<SqlUuid>, _>(ids)
    .execute(tx.conn())
    .await
}

/// Returns some of the announcements that were published before a time and have no kept report.
pub(crate) async fn without_report(
    conn: &mut AsyncPgConnection,
    before: DateTime<Utc>,
    most: i64,
) -> QueryResult<Vec<AnnouncementId>> {
    announcements::table
        .filter(announcements::published_at.le(before).and(announcements::report.is_null()))
        .select(announcements::id)
        .limit(most)
        .load(conn)
        .await
}

/// Marks a locked announcement as canceled.
pub async fn cancel(tx: &mut Tx, id: AnnouncementId, now: DateTime<Utc>) -> QueryResult<Announcement> {
    let row = diesel::update(announcements::table.find(id))
        .set(announcements::canceled_at.eq(now))
        .returning(Announcement::as_returning());
    row.get_result(tx.conn()).await
}

/// Counts the announcements that a user has written since an id, up to `most`.
pub(crate) async fn count_lately(tx: &mut Tx, author: UserId, since: Uuid, most: i64) -> QueryResult<usize> {
    let lately = announcements::table
        .filter(announcements::author_id.eq(author).and(announcements::id.gt(AnnouncementId::new(since))))
        .select(announcements::id)
        .limit(most);
    Ok(lately.load::<AnnouncementId>(tx.conn()).await?.len())
}

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[AnnouncementId]) -> QueryResult<Vec<Announcement>> {
    announcements::table.filter(announcements::id.eq_any(ids)).select(Announcement::as_select()).load(conn).await
}

/// The announcements in a list: of an author, or of all if `None`; in a state, or in any.
pub type Which = (Option<UserId>, Option<AnnouncementState>);

macro_rules! listed {
    ($which:expr) => {{
        let (author, state): Which = $which;
        let mut rows = announcements::table.into_boxed();
        if let Some(author) = author {
            rows = rows.filter(announcements::author_id.eq(author));
        }
        match state {
            None => rows,
            Some(AnnouncementState::Canceled) => rows.filter(announcements::canceled_at.is_not_null()),
            Some(AnnouncementState::Published) => {
                rows.filter(announcements::published_at.is_not_null().and(announcements::canceled_at.is_null()))
            }
            Some(AnnouncementState::Scheduled) => {
                rows.filter(announcements::published_at.is_null().and(announcements::canceled_at.is_null()))
            }
        }
    }};
}

/// Returns a page of announcements, latest first, in the page's direction.
pub async fn page(mut conn: &AsyncPgConnection, which: Which, page: &Page<Uuid>) -> QueryResult<Vec<Announcement>> {
    let rows = listed!(which)
        .filter(announcements::id.lt(AnnouncementId::new(page.after.unwrap_or(Uuid::max()))))
        .filter(announcements::id.gt(AnnouncementId::new(page.before.unwrap_or(Uuid::nil()))))
        .limit(page.fetch())
        .select(Announcement::as_select());
    if page.backward {
        rows.order(announcements::id.asc()).load(&mut conn).await
    } else {
        rows.order(announcements::id.desc()).load(&mut conn).await
    }
}

/// Counts the announcements in a list.
pub async fn count(mut conn: &AsyncPgConnection, which: Which) -> QueryResult<i64> {
    listed!(which).count().get_result(&mut conn).await
}

/// Returns the latest announcements of a user, for the export of their data.
pub(crate) async fn latest_of(
    conn: &mut AsyncPgConnection,
    author: UserId,
    limit: i64,
) -> QueryResult<Vec<Announcement>> {
    announcements::table
        .filter(announcements::author_id.eq(author))
        .order(announcements::id.desc())
        .limit(limit)
        .select(Announcement::as_select())
        .load(conn)
        .await
}
