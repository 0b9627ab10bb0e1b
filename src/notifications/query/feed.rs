//! SQL that reads notifications.
//!
//! A list is merged from the indexes of its audiences, newest first: however many notifications there are, and however
//! many a user has read, that takes a row of each audience and a page of some. What a user has read is found by the
//! primary key of the receipts.

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
use crate::platform::db::schema::notifications;
use crate::platform::db::{RunQueryDsl, sql_query};

/// The `viewers` of the arrays of users, audiences and times: what each has marked, chosen and muted.
const VIEWERS: &str = "\
    WITH viewers AS (SELECT viewer.*, m.read_through AS mark_read, m.read_at AS mark_read_at, \
            m.archived_through AS mark_archived, m.archived_at AS mark_archived_at, s.preferences, \
            ARRAY(SELECT subject FROM notification_mutes WHERE notification_mutes.user_id = viewer.user_id) AS muted, \
            ARRAY(SELECT 'course:' || substr(team, 6) FROM unnest(viewer.audiences) AS every (team) \
                WHERE team LIKE 'team:%') AS taught \
        FROM (SELECT user_id, array_agg(audience) AS audiences, array_agg(since) AS since \
            FROM unnest($1, $2, $3) AS given (user_id, audience, since) GROUP BY user_id) AS viewer \
        LEFT JOIN notification_marks m USING (user_id) LEFT JOIN notification_settings s USING (user_id))";

/// The audiences of one of the `viewers`, a row for each.
const MINE_OF_VIEWER: &str = "\
    SELECT given.*, viewers.user_id, viewers.mark_read, viewers.mark_read_at, viewers.mark_archived, \
        viewers.mark_archived_at, viewers.preferences, viewers.muted, viewers.taught \
    FROM unnest(viewers.audiences, viewers.since) AS given (audience, since)";

/// The [`VIEWERS`] and `mine`, the audiences of all of them.
pub(super) fn mine() -> String {
    format!("{VIEWERS}, mine AS (SELECT mine.* FROM viewers CROSS JOIN LATERAL ({MINE_OF_VIEWER}) AS mine)")
}

/// Adds the receipt `r` of the user to the notifications `n` of the audience `mine`.
pub(super) const RECEIPT: &str =
    "LEFT JOIN notification_receipts r ON r.user_id = mine.user_id AND r.notification_id = n.id";

/// Of the notifications `n` of the audience `mine`, what the user has done with them, and the condition that they are
/// shown. What concerns a course is told to its team, and not again to members of it who have the role that is told.
///
/// `own.active_at` is when the latest event happened that others caused.
pub(super) const SHOWN: &str = "\
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
        AND NOT (mine.audience LIKE 'role:%' AND n.mute_keys && mine.taught) \
        AND coalesce((mine.preferences -> n.kind ->> 'inApp')::boolean, true)";

/// Where the notifications in a state are found.
///
/// The marks of a user divide the time into ranges. In a range, nearly all notifications are in the state; the others
/// that are in it have a receipt, which an index of the state finds. So no list reads rows in other states, however much
/// a user has read or archived one by one: `command/compact.rs` moves the marks after that.
///
/// Each comparison includes the audience, or the user: the planner then expects many rows and reads an index in its order
/// up to the limit, where it would otherwise read all of an audience and sort. For the same reason, the condition compares
/// integers, which it expects to be true of most rows.
struct Places {
    /// The condition for the state.
    condition: &'static str,
    /// The range of `n.at`.
    range: &'static str,
    /// The conditions for the receipts `r` of those outside of the range.
    alone: &'static [&'static str],
}

/// Returns where the notifications in a state are found; `None`: those that are not archived.
fn places(state: Option<NotificationState>) -> Places {
    match state {
        None => Places {
            condition: "state.is_archived::integer <> 1",
            range: "(n.audience, n.at) > (mine.audience, greatest(mine.since, mine.mark_archived))",
            alone: &["r.kept AND (r.user_id, r.at) <= (viewers.user_id, viewers.mark_archived)"],
        },
        Some(NotificationState::Unread) => Places {
            condition: "(state.is_read OR state.is_archived)::integer <> 1",
            range: "(n.audience, n.at) > (mine.audience, greatest(mine.since, mine.mark_read))",
            alone: &["r.kept AND r.read_through IS NULL AND (r.user_id, r.at) <= (viewers.user_id, viewers.mark_read)"],
        },
        Some(NotificationState::Read) => Places {
            condition: "(state.is_read AND NOT state.is_archived)::integer <> 0",
            range: "(n.audience, n.at) > (mine.audience, greatest(mine.since, mine.mark_archived)) \
                AND (n.audience, n.at) <= (mine.audience, mine.mark_read)",
            alone: &[
                "r.kept AND (r.user_id, r.at) <= (viewers.user_id, viewers.mark_archived)",
                "r.read_through IS NOT NULL \
                    AND (r.user_id, r.at) > (viewers.user_id, coalesce(viewers.mark_read, '-infinity'))",
            ],
        },
        Some(NotificationState::Archived) => Places {
            condition: "state.is_archived::integer <> 0",
            range: "(n.audience, n.at) > (mine.audience, mine.since) \
                AND (n.audience, n.at) <= (mine.audience, mine.mark_archived)",
            alone: &["r.archived_through IS NOT NULL \
                AND (r.user_id, r.at) > (viewers.user_id, coalesce(viewers.mark_archived, '-infinity'))"],
        },
    }
}

impl Places {
    /// The notifications `n` of `mine` in the range, after FROM. A condition for the upper end must follow.
    fn ranged(&self) -> String {
        let Places { condition, range, .. } = self;
        format!("notifications n {RECEIPT} {SHOWN} AND {range} AND n.kind = ANY ($4) AND {condition}")
    }

    /// The notifications `n` of one of the `viewers` outside of the range, after FROM, for each of the conditions. A
    /// condition for both ends must follow.
    ///
    /// The time of a receipt is that of its notification, unless others have caused an event since, which moves it into
    /// a range. The receipts are read first, in their order; OFFSET keeps the planner from joining otherwise.
    fn alone(&self) -> impl Iterator<Item = String> {
        let condition = self.condition;
        self.alone.iter().map(move |alone| {
            format!(
                "notification_receipts r CROSS JOIN LATERAL (SELECT * FROM notifications \
                    WHERE notifications.id = r.notification_id AND (notifications.at = r.at) IS TRUE OFFSET 0) AS n \
                 CROSS JOIN LATERAL ({MINE_OF_VIEWER} WHERE given.audience = n.audience OFFSET 0) AS mine \
                 {SHOWN} AND {alone} AND n.kind = ANY ($4) AND {condition}"
            )
        })
    }
}

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
        "{} SELECT top.*, latest.actor_id, latest.facts, ( \
            SELECT count(*) FROM (SELECT FROM notification_events AS counted \
                WHERE counted.notification_id = top.id AND counted.at > top.counted_from \
                    AND counted.actor_id IS DISTINCT FROM top.user_id LIMIT 100) AS found) AS count \
         FROM ({top}) AS top CROSS JOIN LATERAL (SELECT actor_id, facts FROM notification_events AS event \
            WHERE event.notification_id = top.id AND event.actor_id IS DISTINCT FROM top.user_id \
            ORDER BY event.at DESC, event.id DESC LIMIT 1) AS latest {order}",
        mine()
    )
}

/// The arrays of users, audiences and times of some users' audiences.
pub(super) fn arrays<'a>(
    all: impl IntoIterator<Item = &'a Audiences>,
) -> (Vec<UserId>, Vec<&'a str>, Vec<DateTime<Utc>>) {
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
pub async fn page(
    mut conn: &AsyncPgConnection,
    feed: &Feed,
    page: &Page<NotificationPlace>,
) -> QueryResult<Vec<Notification>> {
    let (users, keys, since) = arrays([&*feed.audiences]);
    let (after_at, after_id) = page.after.unwrap_or((latest(), Uuid::max()));
    let (before_at, before_id) = page.before.unwrap_or((DateTime::UNIX_EPOCH, Uuid::nil()));
    let direction = if page.backward { "ASC" } else { "DESC" };
    let places = places(feed.state);
    let between =
        "(n.audience, n.at, n.id) < (mine.audience, $5, $6) AND (n.audience, n.at, n.id) > (mine.audience, $7, $8)";
    let in_order =
        |count: &str| format!("ORDER BY n.audience {direction}, n.at {direction}, n.id {direction} LIMIT {count}");
    let ranged = format!("FROM {} AND {between}", places.ranged());
    let alone: String = places
        .alone()
        .map(|alone| {
            format!(
                " UNION ALL SELECT page.* FROM viewers CROSS JOIN LATERAL ({TOP} FROM {alone} \
                    AND (r.user_id, r.at, r.notification_id) < (viewers.user_id, $5, $6) \
                    AND (r.user_id, r.at, r.notification_id) > (viewers.user_id, $7, $8) \
                 ORDER BY r.user_id {direction}, r.at {direction}, r.notification_id {direction} LIMIT $9) AS page"
            )
        })
        .collect();
    // What is on a page is in the audiences whose first notifications come first; of each other one, only that is read.
    let top = format!(
        "SELECT page.* FROM (SELECT mine.* FROM mine CROSS JOIN LATERAL (SELECT n.at, n.id {ranged} {}) AS n \
            ORDER BY n.at {direction}, n.id {direction} LIMIT $9) AS mine \
         CROSS JOIN LATERAL ({TOP} {ranged} {}) AS page{alone} ORDER BY at {direction}, id {direction} LIMIT $9",
        in_order("1"),
        in_order("$9"),
    );
    sql_query(facts(&top, &format!("ORDER BY top.at {direction}, top.id {direction}")))
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

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = SqlUuid)]
    user_id: UserId,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Counts the notifications in a state of each user, up to 100.
pub async fn count(
    mut conn: &AsyncPgConnection,
    all: &[&Audiences],
    kinds: &[&str],
    state: Option<NotificationState>,
) -> QueryResult<HashMap<UserId, i64>> {
    let (users, keys, since) = arrays(all.iter().copied());
    let places = places(state);
    let alone = |alone: String| {
        format!(
            " UNION ALL SELECT FROM (SELECT FROM {alone} AND (r.user_id, r.at) > (viewers.user_id, '-infinity') \
                AND (r.user_id, r.at) <= (viewers.user_id, 'infinity') \
                ORDER BY r.user_id, r.at, r.notification_id LIMIT 100) AS alone"
        )
    };
    let alone: String = places.alone().map(alone).collect();
    let counted: Vec<Counted> = sql_query(format!(
        "{VIEWERS} SELECT user_id, (SELECT count(*) FROM ( \
            SELECT FROM ({MINE_OF_VIEWER}) AS mine CROSS JOIN LATERAL (SELECT FROM {} \
                AND (n.audience, n.at) <= (mine.audience, 'infinity') \
                ORDER BY n.audience, n.at, n.id LIMIT 100) AS n{alone} LIMIT 100) AS few) AS count FROM viewers",
        places.ranged()
    ))
    .bind::<Array<SqlUuid>, _>(users)
    .bind::<Array<Text>, _>(keys)
    .bind::<Array<Timestamptz>, _>(since)
    .bind::<Array<Text>, _>(kinds)
    .load(&mut conn)
    .await?;
    Ok(counted.into_iter().map(|counted| (counted.user_id, counted.count)).collect())
}

/// Returns the audiences of notifications, and what users can mute.
pub async fn audiences(
    conn: &mut AsyncPgConnection,
    ids: &[NotificationId],
) -> QueryResult<HashMap<NotificationId, (String, Vec<String>)>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(Uuid, String, Vec<String>)> = notifications::table
        .filter(notifications::id.eq_any(ids))
        .select((notifications::id, notifications::audience, notifications::mute_keys))
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(|(id, audience, mute_keys)| (NotificationId::new(id), (audience, mute_keys))).collect())
}

/// One notification for a user who is in its audience.
pub struct Wanted<'a> {
    /// The user.
    pub user: UserId,
    /// The notification.
    pub id: NotificationId,
    /// The audience.
    pub audience: &'a str,
    /// Since when the user is in it.
    pub since: DateTime<Utc>,
}

/// Returns notifications as their users see them; those that a user is not shown are missing.
pub async fn some(
    conn: &mut AsyncPgConnection,
    wanted: &[Wanted<'_>],
    kinds: &[&str],
) -> QueryResult<Vec<Notification>> {
    let top = format!(
        "SELECT page.* FROM (SELECT DISTINCT * FROM mine) AS mine \
         JOIN unnest($1, $2, $5) AS wanted (user_id, audience, id) USING (user_id, audience) CROSS JOIN LATERAL ( \
            {TOP} FROM (SELECT * FROM notifications WHERE notifications.id = wanted.id) AS n \
            {RECEIPT} {SHOWN} AND n.audience = mine.audience AND n.kind = ANY ($4)) AS page"
    );
    sql_query(facts(&top, ""))
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
