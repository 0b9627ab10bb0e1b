//! SQL that reads notifications.
//!
//! A list is read from the index of each audience, newest first, and merged: however many notifications there are, and
//! however many users have read them, that takes a page of each audience. What a user has read is found by the primary
//! key of the receipts.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::graphql::page::Page;
use crate::notifications::model::{
    Audiences, Feed, Notification, NotificationId, NotificationPlace, NotificationState,
};
use crate::platform::db::RunQueryDsl;
use crate::platform::db::schema::notifications;

/// The notifications `n` of the audience `mine` (user_id, audience, since) that the user is shown.
///
/// `own.active_at` is when the latest event happened that others caused; `state` is what the user has done with it.
const SHOWN: &str = "\
    FROM notifications n \
    LEFT JOIN notification_receipts r ON r.user_id = mine.user_id AND r.notification_id = n.id \
    LEFT JOIN notification_marks m ON m.user_id = mine.user_id \
    LEFT JOIN notification_settings s ON s.user_id = mine.user_id \
    CROSS JOIN LATERAL ( \
        SELECT CASE WHEN n.actor_id = mine.user_id THEN n.other_at ELSE n.at END AS active_at) AS own \
    CROSS JOIN LATERAL (SELECT \
        coalesce(r.read_through >= own.active_at, false) AS is_read_alone, \
        coalesce(m.read_through >= own.active_at AND r.kept IS NOT TRUE, false) AS is_read_by_mark, \
        coalesce(r.archived_through >= own.active_at, false) AS is_archived_alone, \
        coalesce(m.archived_through >= own.active_at AND r.kept IS NOT TRUE, false) AS is_archived_by_mark) AS done \
    CROSS JOIN LATERAL (SELECT done.is_read_alone OR done.is_read_by_mark AS is_read, \
        done.is_archived_alone OR done.is_archived_by_mark AS is_archived) AS state \
    WHERE n.audience = mine.audience AND n.at > mine.since AND own.active_at > mine.since \
        AND coalesce((s.preferences -> n.kind ->> 'inApp')::boolean, true) \
        AND NOT EXISTS (SELECT FROM notification_mutes AS muted \
            WHERE muted.user_id = mine.user_id AND muted.subject = ANY (n.mute_keys))";

/// The columns of `top` in [`facts`].
const TOP: &str = "\
    SELECT mine.user_id, n.id, n.kind, n.subject, n.created_at, n.at, own.active_at, \
        CASE WHEN done.is_read_alone THEN r.read_at WHEN done.is_read_by_mark THEN m.read_at END AS read_at, \
        CASE WHEN done.is_archived_alone THEN r.archived_at WHEN done.is_archived_by_mark THEN m.archived_at END \
            AS archived_at, \
        CASE WHEN state.is_read THEN mine.since ELSE greatest(mine.since, r.read_through, \
            CASE WHEN r.kept IS NOT TRUE THEN m.read_through END) END AS counted_from";

/// Adds to the rows of `top` the latest event of which the user is told, and the number of events.
fn facts(top: &str, order: &str) -> String {
    format!(
        "SELECT top.*, latest.actor_id, latest.facts, ( \
            SELECT count(*) FROM (SELECT FROM notification_events AS counted \
                WHERE counted.notification_id = top.id AND counted.at > top.counted_from \
                    AND counted.actor_id IS DISTINCT FROM top.user_id LIMIT 100) AS some) AS count \
         FROM ({top}) AS top CROSS JOIN LATERAL (SELECT actor_id, facts FROM notification_events AS event \
            WHERE event.notification_id = top.id AND event.actor_id IS DISTINCT FROM top.user_id \
            ORDER BY event.at DESC, event.id DESC LIMIT 1) AS latest {order}"
    )
}

/// The condition for a state.
fn condition(state: Option<NotificationState>) -> &'static str {
    match state {
        None => "NOT state.is_archived",
        Some(NotificationState::Unread) => "NOT state.is_read AND NOT state.is_archived",
        Some(NotificationState::Read) => "state.is_read AND NOT state.is_archived",
        Some(NotificationState::Archived) => "state.is_archived",
    }
}

/// The arrays of users, audiences and times of some users' audiences.
fn arrays<'a>(all: impl IntoIterator<Item = &'a Audiences>) -> (Vec<UserId>, Vec<&'a str>, Vec<DateTime<Utc>>) {
    let (mut users, mut keys, mut since) = (Vec::new(), Vec::new(), Vec::new());
    for audiences in all {
        for (key, at) in &audiences.since {
            users.push(audiences.user);
            keys.push(key.as_str());
            since.push(*at);
        }
    }
    (users, keys, since)
}

/// Returns a page of notifications, in the page's direction. Takes a shared connection, so that several can be pipelined.
pub(in crate::notifications) async fn page(
    mut conn: &AsyncPgConnection,
    feed: &Feed,
    page: &Page<NotificationPlace>,
) -> QueryResult<Vec<Notification>> {
    let (users, keys, since) = arrays([&*feed.audiences]);
    let (after_at, after_id) = page.after.unwrap_or((latest(), Uuid::max()));
    let (before_at, before_id) = page.before.unwrap_or((DateTime::UNIX_EPOCH, Uuid::nil()));
    let direction = if page.backward { "ASC" } else { "DESC" };
    let state = condition(feed.state);
    let top = format!(
        "SELECT page.* FROM unnest($1, $2, $3) AS mine (user_id, audience, since) CROSS JOIN LATERAL ( \
            {TOP} {SHOWN} AND n.kind = ANY ($4) AND {state} \
                AND (n.at, n.id) < ($5, $6) AND (n.at, n.id) > ($7, $8) \
            ORDER BY n.at {direction}, n.id {direction} LIMIT $9) AS page \
         ORDER BY page.at {direction}, page.id {direction} LIMIT $9"
    );
    diesel::sql_query(facts(&top, &format!("ORDER BY top.at {direction}, top.id {direction}")))
        .bind::<Array<SqlUuid>, _>(users)
        .bind::<Array<Text>, _>(keys)
        .bind::<Array<Timestamptz>, _>(since)
        .bind::<Array<Text>, _>(feed.kinds())
        .bind::<Timestamptz, _>(after_at)
        .bind::<SqlUuid, _>(after_id)
        .bind::<Timestamptz, _>(before_at)
        .bind::<SqlUuid, _>(before_id)
        .bind::<BigInt, _>(page.fetch())
        .load(&mut conn)
        .await
}

/// Counts the notifications of a list, up to 100.
pub(in crate::notifications) async fn count(mut conn: &AsyncPgConnection, feed: &Feed) -> QueryResult<i64> {
    let (users, keys, since) = arrays([&*feed.audiences]);
    let state = condition(feed.state);
    let counted: Counted = diesel::sql_query(format!(
        "SELECT $5 AS user_id, count(*) AS count FROM ( \
            SELECT FROM unnest($1, $2, $3) AS mine (user_id, audience, since) \
            CROSS JOIN LATERAL (SELECT {SHOWN} AND n.kind = ANY ($4) AND {state} LIMIT 100) AS some LIMIT 100) AS all_some"
    ))
    .bind::<Array<SqlUuid>, _>(users)
    .bind::<Array<Text>, _>(keys)
    .bind::<Array<Timestamptz>, _>(since)
    .bind::<Array<Text>, _>(feed.kinds())
    .bind::<SqlUuid, _>(feed.audiences.user)
    .get_result(&mut conn)
    .await?;
    Ok(counted.count)
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = SqlUuid)]
    user_id: UserId,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Counts the unread notifications of each user, up to 100; users without any may be missing.
///
/// What is older than the mark of a user is not read, except for what they have marked as unread since.
pub(in crate::notifications) async fn unread(
    conn: &mut AsyncPgConnection,
    all: &[&Audiences],
    kinds: &[&str],
) -> QueryResult<HashMap<UserId, i64>> {
    let (users, keys, since) = arrays(all.iter().copied());
    let unread = condition(Some(NotificationState::Unread));
    let counted: Vec<Counted> = diesel::sql_query(format!(
        "WITH mine AS (SELECT mine.*, mark.read_through FROM unnest($1, $2, $3) AS mine (user_id, audience, since) \
            LEFT JOIN notification_marks AS mark USING (user_id)) \
         SELECT user_id, least(sum(count), 100)::bigint AS count FROM ( \
            SELECT mine.user_id, newer.count FROM mine CROSS JOIN LATERAL (SELECT count(*) FROM ( \
                SELECT {SHOWN} AND n.kind = ANY ($4) AND {unread} \
                    AND n.at > coalesce(mine.read_through, mine.since) LIMIT 100) AS some) AS newer \
            UNION ALL \
            SELECT mine.user_id, older.count FROM mine CROSS JOIN LATERAL (SELECT count(*) FROM ( \
                SELECT {SHOWN} AND n.kind = ANY ($4) AND {unread} \
                    AND r.kept AND n.at <= mine.read_through LIMIT 100) AS some) AS older) AS counts \
         GROUP BY user_id"
    ))
    .bind::<Array<SqlUuid>, _>(users)
    .bind::<Array<Text>, _>(keys)
    .bind::<Array<Timestamptz>, _>(since)
    .bind::<Array<Text>, _>(kinds)
    .load(conn)
    .await?;
    Ok(counted.into_iter().map(|counted| (counted.user_id, counted.count)).collect())
}

/// Returns the audiences of notifications.
pub(in crate::notifications) async fn audiences(
    conn: &mut AsyncPgConnection,
    ids: &[NotificationId],
) -> QueryResult<HashMap<NotificationId, String>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(Uuid, String)> = notifications::table
        .filter(notifications::id.eq_any(ids))
        .select((notifications::id, notifications::audience))
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(|(id, audience)| (NotificationId::new(id), audience)).collect())
}

/// One notification for a user who is in its audience.
pub(in crate::notifications) struct Wanted<'a> {
    pub(in crate::notifications) user: UserId,
    pub(in crate::notifications) id: NotificationId,
    pub(in crate::notifications) audience: &'a str,
    pub(in crate::notifications) since: DateTime<Utc>,
}

/// Returns notifications as their users see them; those that a user is not shown are missing.
pub(in crate::notifications) async fn some(
    conn: &mut AsyncPgConnection,
    wanted: &[Wanted<'_>],
    kinds: &[&str],
) -> QueryResult<Vec<Notification>> {
    let top = format!(
        "SELECT page.* FROM unnest($1, $2, $3, $5) AS mine (user_id, audience, since, wanted) CROSS JOIN LATERAL ( \
            {TOP} {SHOWN} AND n.kind = ANY ($4) AND n.id = mine.wanted) AS page"
    );
    diesel::sql_query(facts(&top, ""))
        .bind::<Array<SqlUuid>, _>(wanted.iter().map(|wanted| wanted.user).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(wanted.iter().map(|wanted| wanted.audience).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(wanted.iter().map(|wanted| wanted.since).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(kinds)
        .bind::<Array<SqlUuid>, _>(wanted.iter().map(|wanted| wanted.id.uuid()).collect::<Vec<_>>())
        .load(conn)
        .await
}

/// A time after every notification, which PostgreSQL can store.
fn latest() -> DateTime<Utc> {
    crate::platform::db::storable(DateTime::<Utc>::MAX_UTC)
}
