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

/// The audiences `mine` of the arrays of users, audiences and times, with what each user has marked, chosen and muted.
const MINE: &str = "\
    WITH viewers AS (SELECT viewer.user_id, m.read_through AS mark_read, m.read_at AS mark_read_at, \
            m.archived_through AS mark_archived, m.archived_at AS mark_archived_at, s.preferences, \
            ARRAY(SELECT subject FROM notification_mutes WHERE notification_mutes.user_id = viewer.user_id) AS muted \
        FROM (SELECT DISTINCT user_id FROM unnest($1) AS every (user_id)) AS viewer \
        LEFT JOIN notification_marks m USING (user_id) LEFT JOIN notification_settings s USING (user_id)), \
    mine AS (SELECT given.*, viewers.* FROM unnest($2, $3, $1) AS given (audience, since, whose) \
        JOIN viewers ON viewers.user_id = given.whose)";

/// The notifications `n` of the audience `mine`, a part of which is read from the index in the order of its end.
///
/// The audience is a part of each comparison, so that no other index seems to fit.
const OF_AUDIENCE: &str = "\
    n.audience = mine.audience AND (n.audience, n.at) > (mine.audience, mine.since)";

/// Of the notifications `n` of the audience `mine`, what the user has done with them, and the condition that they are
/// shown.
///
/// `own.active_at` is when the latest event happened that others caused.
const SHOWN: &str = "\
    LEFT JOIN notification_receipts r ON r.user_id = mine.user_id AND r.notification_id = n.id \
    CROSS JOIN LATERAL ( \
        SELECT CASE WHEN n.actor_id = mine.user_id THEN n.other_at ELSE n.at END AS active_at) AS own \
    CROSS JOIN LATERAL (SELECT \
        coalesce(r.read_through >= own.active_at, false) AS is_read_alone, \
        coalesce(mine.mark_read >= own.active_at AND r.kept IS NOT TRUE, false) AS is_read_by_mark, \
        coalesce(r.archived_through >= own.active_at, false) AS is_archived_alone, \
        coalesce(mine.mark_archived >= own.active_at AND r.kept IS NOT TRUE, false) AS is_archived_by_mark) AS done \
    CROSS JOIN LATERAL (SELECT done.is_read_alone OR done.is_read_by_mark AS is_read, \
        done.is_archived_alone OR done.is_archived_by_mark AS is_archived) AS state \
    WHERE own.active_at > mine.since AND NOT n.mute_keys && mine.muted \
        AND coalesce((mine.preferences -> n.kind ->> 'inApp')::boolean, true)";

/// The columns of `top` in [`facts`].
const TOP: &str = "\
    SELECT mine.user_id, n.id, n.kind, n.subject, n.created_at, n.at, own.active_at, \
        CASE WHEN done.is_read_alone THEN r.read_at WHEN done.is_read_by_mark THEN mine.mark_read_at END AS read_at, \
        CASE WHEN done.is_archived_alone THEN r.archived_at WHEN done.is_archived_by_mark THEN mine.mark_archived_at \
            END AS archived_at, \
        CASE WHEN state.is_read THEN mine.since ELSE greatest(mine.since, r.read_through, \
            CASE WHEN r.kept IS NOT TRUE THEN mine.mark_read END) END AS counted_from";

/// Adds to the rows of `top` the latest event of which the user is told, and the number of events.
fn facts(top: &str, order: &str) -> String {
    format!(
        "{MINE} SELECT top.*, latest.actor_id, latest.facts, ( \
            SELECT count(*) FROM (SELECT FROM notification_events AS counted \
                WHERE counted.notification_id = top.id AND counted.at > top.counted_from \
                    AND counted.actor_id IS DISTINCT FROM top.user_id LIMIT 100) AS found) AS count \
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
        "SELECT page.* FROM mine CROSS JOIN LATERAL ( \
            {TOP} FROM notifications n {SHOWN} AND {OF_AUDIENCE} AND n.kind = ANY ($4) AND {state} \
                AND (n.audience, n.at, n.id) < (mine.audience, $5, $6) \
                AND (n.audience, n.at, n.id) > (mine.audience, $7, $8) \
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
        "{MINE} SELECT $5 AS user_id, count(*) AS count FROM ( \
            SELECT FROM mine CROSS JOIN LATERAL ( \
                SELECT FROM notifications n {SHOWN} AND {OF_AUDIENCE} AND n.kind = ANY ($4) AND {state} LIMIT 100) AS few \
            LIMIT 100) AS found"
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

/// The number of notifications of an audience in which unread ones are counted: the latest.
const LOOKED_AT: i64 = 100;

/// Counts the unread notifications of each user, up to 100; users without any may be missing.
///
/// What is older than the mark of a user is not read, except for what they have marked as unread since; and of each
/// audience at most the latest 100 are, so that there is a bound for who reads each by itself.
pub(in crate::notifications) async fn unread(
    conn: &mut AsyncPgConnection,
    all: &[&Audiences],
    kinds: &[&str],
) -> QueryResult<HashMap<UserId, i64>> {
    let (users, keys, since) = arrays(all.iter().copied());
    let unread = condition(Some(NotificationState::Unread));
    let counted: Vec<Counted> = diesel::sql_query(format!(
        "{MINE} SELECT user_id, least(sum(count), 100)::bigint AS count FROM ( \
            SELECT mine.user_id, newer.count FROM mine CROSS JOIN LATERAL (SELECT count(*) FROM ( \
                SELECT * FROM notifications n WHERE {OF_AUDIENCE} \
                    AND (n.audience, n.at) > (mine.audience, coalesce(mine.mark_read, mine.since)) \
                ORDER BY n.audience DESC, n.at DESC, n.id DESC LIMIT {LOOKED_AT}) AS n \
                {SHOWN} AND n.kind = ANY ($4) AND {unread}) AS newer \
            UNION ALL \
            SELECT mine.user_id, 1 FROM mine JOIN notification_receipts kept ON kept.user_id = mine.user_id AND kept.kept \
            JOIN notifications n ON n.id = kept.notification_id AND {OF_AUDIENCE} AND n.at <= mine.mark_read \
                {SHOWN} AND n.kind = ANY ($4) AND {unread}) AS counts \
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
        "SELECT page.* FROM (SELECT DISTINCT * FROM mine) AS mine \
         JOIN unnest($1, $2, $5) AS wanted (user_id, audience, id) USING (user_id, audience) CROSS JOIN LATERAL ( \
            {TOP} FROM (SELECT * FROM notifications WHERE notifications.id = wanted.id) AS n \
            {SHOWN} AND n.audience = mine.audience AND n.kind = ANY ($4)) AS page"
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
