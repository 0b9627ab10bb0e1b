//! SQL for announcements.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::graphql::page::Page;
use crate::notifications::model::{Announcement, AnnouncementId, AnnouncementState};
use crate::platform::db::schema::announcements;
use crate::platform::db::{RunQueryDsl, Tx};

#[derive(Insertable)]
#[diesel(table_name = announcements)]
pub(in crate::notifications) struct NewAnnouncement<'a> {
    pub(in crate::notifications) id: AnnouncementId,
    pub(in crate::notifications) author_id: UserId,
    pub(in crate::notifications) audience: &'a str,
    pub(in crate::notifications) title: &'a str,
    pub(in crate::notifications) body: &'a str,
    pub(in crate::notifications) publish_at: DateTime<Utc>,
    pub(in crate::notifications) created_at: DateTime<Utc>,
}

pub(in crate::notifications) async fn insert(tx: &mut Tx, new: &NewAnnouncement<'_>) -> QueryResult<Announcement> {
    let row = diesel::insert_into(announcements::table).values(new).returning(Announcement::as_returning());
    row.get_result(tx.conn()).await
}

pub(in crate::notifications) async fn lock(tx: &mut Tx, id: AnnouncementId) -> QueryResult<Option<Announcement>> {
    let row = announcements::table.find(id).select(Announcement::as_select()).for_no_key_update();
    row.first(tx.conn()).await.optional()
}

/// Marks a locked announcement as published for so many users.
pub(in crate::notifications) async fn publish(
    tx: &mut Tx,
    id: AnnouncementId,
    users: i64,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::update(announcements::table.find(id))
        .set((announcements::published_at.eq(now), announcements::delivered_count.eq(users)))
        .execute(tx.conn())
        .await
}

/// Marks a locked announcement as canceled.
pub(in crate::notifications) async fn cancel(
    tx: &mut Tx,
    id: AnnouncementId,
    now: DateTime<Utc>,
) -> QueryResult<Announcement> {
    let row = diesel::update(announcements::table.find(id))
        .set(announcements::canceled_at.eq(now))
        .returning(Announcement::as_returning());
    row.get_result(tx.conn()).await
}

/// Counts the announcements that a user has written since an id, up to `most`.
pub(in crate::notifications) async fn count_lately(
    tx: &mut Tx,
    author: UserId,
    since: Uuid,
    most: i64,
) -> QueryResult<usize> {
    let lately = announcements::table
        .filter(announcements::author_id.eq(author).and(announcements::id.gt(AnnouncementId::new(since))))
        .select(announcements::id)
        .limit(most);
    Ok(lately.load::<AnnouncementId>(tx.conn()).await?.len())
}

pub(in crate::notifications) async fn by_ids(
    conn: &mut AsyncPgConnection,
    ids: &[AnnouncementId],
) -> QueryResult<Vec<Announcement>> {
    announcements::table.filter(announcements::id.eq_any(ids)).select(Announcement::as_select()).load(conn).await
}

/// The announcements in a list: of an author, or of all if `None`; in a state, or in any.
pub(in crate::notifications) type Which = (Option<UserId>, Option<AnnouncementState>);

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
pub(in crate::notifications) async fn page(
    mut conn: &AsyncPgConnection,
    which: Which,
    page: &Page<Uuid>,
) -> QueryResult<Vec<Announcement>> {
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
pub(in crate::notifications) async fn count(mut conn: &AsyncPgConnection, which: Which) -> QueryResult<i64> {
    listed!(which).count().get_result(&mut conn).await
}

/// Returns the latest announcements of a user, for the export of their data.
pub(in crate::notifications) async fn latest_of(
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
