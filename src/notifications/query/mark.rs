//! SQL for what users have read and archived.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use super::feed::{RECEIPT, SHOWN, arrays, mine};
use crate::accounts::UserId;
use crate::notifications::model::{Audiences, NotificationId, NotificationState};
use crate::platform::db::schema::{notification_marks, notification_receipts};
use crate::platform::db::{RunQueryDsl, Tx, sql_query};

/// Marks notifications, of which the user has seen the events up to the given times.
pub(crate) async fn receipts(
    tx: &mut Tx,
    user: UserId,
    seen: &[(NotificationId, DateTime<Utc>)],
    state: NotificationState,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    let (values, changes) = match state {
        NotificationState::Read => (
            "seen.at, $4, NULL, NULL, false",
            "read_through = greatest(old.read_through, excluded.read_through), read_at = $4",
        ),
        NotificationState::Unread => (
            "NULL, NULL, NULL, NULL, true",
            "read_through = NULL, read_at = NULL, archived_through = NULL, archived_at = NULL, kept = true",
        ),
        NotificationState::Archived => (
            "seen.at, $4, seen.at, $4, false",
            "read_through = greatest(old.read_through, excluded.read_through), read_at = coalesce(old.read_at, $4), \
             archived_through = greatest(old.archived_through, excluded.archived_through), archived_at = $4, kept = false",
        ),
    };
    // In the order of the ids, so that two requests do not wait for each other.
    sql_query(format!(
        "INSERT INTO notification_receipts AS old (user_id, notification_id, read_through, read_at, archived_through, \
            archived_at, kept, changed_at, at) \
         SELECT $1, seen.id, {values}, $4, seen.at FROM unnest($2, $3) AS seen (id, at) ORDER BY seen.id \
         ON CONFLICT (user_id, notification_id) DO UPDATE SET {changes}, changed_at = $4, \
            at = greatest(old.at, excluded.at)"
    ))
    .bind::<SqlUuid, _>(user)
    .bind::<Array<SqlUuid>, _>(seen.iter().map(|(id, _)| id.uuid()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(seen.iter().map(|(_, at)| *at).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await
}

/// Adds to the number of receipts that a user has written since their marks were moved; returns it. Locks the marks.
pub(crate) async fn add_receipts(tx: &mut Tx, user: UserId, added: i32, now: DateTime<Utc>) -> QueryResult<i32> {
    diesel::insert_into(notification_marks::table)
        .values((
            notification_marks::user_id.eq(user),
            notification_marks::read_through.eq(DateTime::UNIX_EPOCH),
            notification_marks::read_at.eq(now),
            notification_marks::receipts.eq(added),
        ))
        .on_conflict(notification_marks::user_id)
        .do_update()
        .set(notification_marks::receipts.eq(notification_marks::receipts + added))
        .returning(notification_marks::receipts)
        .get_result(tx.conn())
        .await
}

/// Marks everything of a user up to a time as read, or as archived.
pub(crate) async fn mark(
    tx: &mut Tx,
    user: UserId,
    through: DateTime<Utc>,
    archives: bool,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    let (values, changes) = match archives {
        false => ("NULL::timestamptz, NULL::timestamptz", ""),
        true => ("$2, $3", ", archived_through = greatest(old.archived_through, $2), archived_at = $3"),
    };
    sql_query(format!(
        "INSERT INTO notification_marks AS old (user_id, read_through, read_at, archived_through, archived_at) \
         SELECT $1, $2, $3, {values} \
         ON CONFLICT (user_id) DO UPDATE SET read_through = greatest(old.read_through, $2), read_at = $3, \
            receipts = 0{changes}"
    ))
    .bind::<SqlUuid, _>(user)
    .bind::<Timestamptz, _>(through)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    // What the marks did not apply to is read, too. It stays out of the archive unless it is archived now.
    let changes = match archives {
        false => "read_through = n.at, read_at = $3, kept = coalesce(mark.archived_through >= n.at, false)",
        true => "kept = false",
    };
    sql_query(format!(
        "UPDATE notification_receipts AS receipt SET {changes}, changed_at = $3 \
         FROM notifications AS n, notification_marks AS mark \
         WHERE receipt.user_id = $1 AND receipt.kept AND n.id = receipt.notification_id AND n.at <= $2 \
            AND mark.user_id = $1"
    ))
    .bind::<SqlUuid, _>(user)
    .bind::<Timestamptz, _>(through)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await
}

/// How many of the notifications after a mark are in the state of the mark, and how many are not.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub(crate) struct AfterMark {
    #[diesel(sql_type = BigInt)]
    pub(crate) done: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) open: i64,
}

/// The notifications `n` of a user from their mark up to `$4`, after FROM; and the condition that they are in its state.
fn after_mark(archives: bool) -> (String, &'static str) {
    let (mark, condition) = match archives {
        false => ("mark_read", "state.is_read"),
        true => ("mark_archived", "state.is_archived"),
    };
    let rows = format!(
        "mine CROSS JOIN notifications n {RECEIPT} {SHOWN} AND n.audience = mine.audience \
            AND (n.audience, n.at) > (mine.audience, greatest(mine.since, mine.{mark})) \
            AND (n.audience, n.at) <= (mine.audience, $4)"
    );
    (rows, condition)
}

/// Counts what a user has read or archived one by one after their mark, and what not.
pub(crate) async fn tally(
    tx: &mut Tx,
    audiences: &Audiences,
    archives: bool,
    through: DateTime<Utc>,
) -> QueryResult<AfterMark> {
    let (users, keys, since) = arrays([audiences]);
    let (rows, condition) = after_mark(archives);
    sql_query(format!(
        "{} SELECT count(*) FILTER (WHERE {condition}) AS done, count(*) FILTER (WHERE NOT {condition}) AS open \
         FROM {rows}",
        mine()
    ))
    .bind::<Array<SqlUuid>, _>(users)
    .bind::<Array<Text>, _>(keys)
    .bind::<Array<Timestamptz>, _>(since)
    .bind::<Timestamptz, _>(through)
    .get_result(tx.conn())
    .await
}

/// Moves the locked mark of a user to a time. What is not read, or not archived, gets a receipt that says so.
pub(crate) async fn advance(
    tx: &mut Tx,
    audiences: &Audiences,
    archives: bool,
    through: DateTime<Utc>,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    let (users, keys, since) = arrays([audiences]);
    let (rows, condition) = after_mark(archives);
    sql_query(format!(
        "{} INSERT INTO notification_receipts (user_id, notification_id, read_through, read_at, kept, changed_at, at) \
         SELECT mine.user_id, n.id, CASE WHEN state.is_read THEN n.at END, \
            CASE WHEN done.is_read_alone THEN r.read_at WHEN done.is_read_by_mark THEN mine.mark_read_at END, \
            true, $5, n.at FROM {rows} AND NOT {condition} \
         ON CONFLICT (user_id, notification_id) DO UPDATE SET read_through = excluded.read_through, \
            read_at = excluded.read_at, archived_through = NULL, archived_at = NULL, kept = true, at = excluded.at",
        mine()
    ))
    .bind::<Array<SqlUuid>, _>(users)
    .bind::<Array<Text>, _>(keys)
    .bind::<Array<Timestamptz>, _>(since)
    .bind::<Timestamptz, _>(through)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    let archived = match archives {
        false => "",
        true => ", archived_through = greatest(archived_through, $2), archived_at = coalesce(archived_at, $3)",
    };
    sql_query(format!(
        "UPDATE notification_marks SET read_through = greatest(read_through, $2), \
            read_at = CASE WHEN read_through = 'epoch' THEN $3 ELSE read_at END{archived} WHERE user_id = $1"
    ))
    .bind::<SqlUuid, _>(audiences.user)
    .bind::<Timestamptz, _>(through)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await
}

/// Sets the number of receipts since the marks of a user were moved to 0, and locks them.
pub(crate) async fn reset_receipts(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    diesel::update(notification_marks::table.find(user))
        .set(notification_marks::receipts.eq(0))
        .execute(tx.conn())
        .await
}

/// What a user has read and archived: the notification, and when.
pub(crate) type Receipt = (Uuid, Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// Returns the latest receipts of a user, for the export of their data.
pub(crate) async fn latest_of(conn: &mut AsyncPgConnection, user: UserId, limit: i64) -> QueryResult<Vec<Receipt>> {
    notification_receipts::table
        .filter(notification_receipts::user_id.eq(user))
        .order(notification_receipts::notification_id.desc())
        .limit(limit)
        .select((
            notification_receipts::notification_id,
            notification_receipts::read_at,
            notification_receipts::archived_at,
        ))
        .load(conn)
        .await
}

/// Returns up to when a user has read everything.
pub(crate) async fn mark_of(conn: &mut AsyncPgConnection, user: UserId) -> QueryResult<Option<DateTime<Utc>>> {
    let marked = notification_marks::table.find(user).filter(notification_marks::read_through.gt(DateTime::UNIX_EPOCH));
    marked.select(notification_marks::read_through).first(conn).await.optional()
}

/// Forgets what a user has read.
pub(crate) async fn forget_user(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    let receipts = notification_receipts::table.filter(notification_receipts::user_id.eq(user));
    diesel::delete(receipts).execute(tx.conn()).await?;
    diesel::delete(notification_marks::table.find(user)).execute(tx.conn()).await
}
