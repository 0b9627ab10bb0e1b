//! SQL for what users have read and archived.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Timestamptz, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::notifications::model::{NotificationId, NotificationState};
use crate::platform::db::schema::{notification_marks, notification_receipts};
use crate::platform::db::{RunQueryDsl, Tx};

/// Marks notifications, of which the user has seen the events up to the given times.
pub(in crate::notifications) async fn receipts(
    tx: &mut Tx,
    user: UserId,
    seen: &[(NotificationId, DateTime<Utc>)],
    state: NotificationState,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    let (values, changes) = match state {
        NotificationState::Read => (
            "seen.at, $4, NULL, NULL, false",
            "read_through = greatest(old.read_through, new.read_through), read_at = $4",
        ),
        NotificationState::Unread => (
            "NULL, NULL, NULL, NULL, true",
            "read_through = NULL, read_at = NULL, archived_through = NULL, archived_at = NULL, kept = true",
        ),
        NotificationState::Archived => (
            "seen.at, $4, seen.at, $4, false",
            "read_through = greatest(old.read_through, new.read_through), read_at = coalesce(old.read_at, $4), \
             archived_through = greatest(old.archived_through, new.archived_through), archived_at = $4",
        ),
    };
    let changes = changes.replace("new.", "excluded.");
    // In the order of the ids, so that two requests do not wait for each other.
    diesel::sql_query(format!(
        "INSERT INTO notification_receipts AS old (user_id, notification_id, read_through, read_at, archived_through, \
            archived_at, kept, changed_at) \
         SELECT $1, seen.id, {values}, $4 FROM unnest($2, $3) AS seen (id, at) ORDER BY seen.id \
         ON CONFLICT (user_id, notification_id) DO UPDATE SET {changes}, changed_at = $4"
    ))
    .bind::<SqlUuid, _>(user)
    .bind::<Array<SqlUuid>, _>(seen.iter().map(|(id, _)| id.uuid()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(seen.iter().map(|(_, at)| *at).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await
}

/// Marks everything of a user up to a time as read, or as archived.
pub(in crate::notifications) async fn mark(
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
    diesel::sql_query(format!(
        "INSERT INTO notification_marks AS old (user_id, read_through, read_at, archived_through, archived_at) \
         SELECT $1, $2, $3, {values} \
         ON CONFLICT (user_id) DO UPDATE SET read_through = greatest(old.read_through, $2), read_at = $3{changes}"
    ))
    .bind::<SqlUuid, _>(user)
    .bind::<Timestamptz, _>(through)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    // The mark applies to what was marked as unread before, too.
    diesel::sql_query(
        "UPDATE notification_receipts AS receipt SET kept = false FROM notifications \
         WHERE receipt.user_id = $1 AND receipt.kept AND notifications.id = receipt.notification_id \
            AND notifications.at <= $2",
    )
    .bind::<SqlUuid, _>(user)
    .bind::<Timestamptz, _>(through)
    .execute(tx.conn())
    .await
}

/// What a user has read and archived: the notification, and when.
pub(in crate::notifications) type Receipt = (Uuid, Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// Returns the latest receipts of a user, for the export of their data.
pub(in crate::notifications) async fn latest_of(
    conn: &mut AsyncPgConnection,
    user: UserId,
    limit: i64,
) -> QueryResult<Vec<Receipt>> {
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
pub(in crate::notifications) async fn mark_of(
    conn: &mut AsyncPgConnection,
    user: UserId,
) -> QueryResult<Option<DateTime<Utc>>> {
    notification_marks::table.find(user).select(notification_marks::read_through).first(conn).await.optional()
}

/// Forgets what a user has read.
pub(in crate::notifications) async fn forget_user(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    let receipts = notification_receipts::table.filter(notification_receipts::user_id.eq(user));
    diesel::delete(receipts).execute(tx.conn()).await?;
    diesel::delete(notification_marks::table.find(user)).execute(tx.conn()).await
}
