//! SQL that writes notifications.

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::notifications::model::{NewNotification, NotificationId};
use crate::platform::db::schema::{notification_events, notifications};
use crate::platform::db::{RunQueryDsl, Tx, sql_query};

/// Whether an event was written before.
pub(crate) async fn is_written(tx: &mut Tx, event: Uuid) -> QueryResult<bool> {
    diesel::select(exists(notification_events::table.find(event))).get_result(tx.conn()).await
}

/// Locks the notification that an event belongs to, which is inserted if it is the first; returns its id.
pub(crate) async fn lock(
    tx: &mut Tx,
    id: Uuid,
    new: &NewNotification,
    now: DateTime<Utc>,
) -> QueryResult<NotificationId> {
    let mute_keys: Vec<String> = new.mute_keys.iter().map(ToString::to_string).collect();
    let id: Uuid = diesel::insert_into(notifications::table)
        .values((
            notifications::id.eq(id),
            notifications::audience.eq(new.audience.to_string()),
            notifications::kind.eq(new.kind),
            notifications::group_key.eq(new.group_key()),
            notifications::subject.eq(&new.subject),
            notifications::mute_keys.eq(mute_keys),
            notifications::created_at.eq(now),
            notifications::at.eq(now),
            notifications::actor_id.eq(new.actor),
        ))
        .on_conflict((notifications::audience, notifications::group_key))
        .do_update()
        .set(notifications::kind.eq(new.kind))
        .returning(notifications::id)
        .get_result(tx.conn())
        .await?;
    Ok(NotificationId::new(id))
}

/// Adds an event to a locked notification.
pub(crate) async fn add(
    tx: &mut Tx,
    id: NotificationId,
    new: &NewNotification,
    facts: Value,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::insert_into(notification_events::table)
        .values((
            notification_events::id.eq(new.event_id()),
            notification_events::notification_id.eq(id.uuid()),
            notification_events::at.eq(now),
            notification_events::actor_id.eq(new.actor.map(Uuid::from)),
            notification_events::facts.eq(facts),
        ))
        .execute(tx.conn())
        .await?;
    // Of an event by the same user as the one before, `other_at` stays; otherwise the one before is by another user.
    sql_query(
        "UPDATE notifications SET actor_id = $2, at = greatest(at, $3), \
            other_at = CASE WHEN actor_id IS DISTINCT FROM $2 THEN at ELSE other_at END \
         WHERE id = $1 AND EXISTS (SELECT FROM notification_events WHERE notification_id = $1 AND id <> $4)",
    )
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<diesel::sql_types::Nullable<SqlUuid>, _>(new.actor.map(Uuid::from))
    .bind::<Timestamptz, _>(now)
    .bind::<SqlUuid, _>(new.event_id())
    .execute(tx.conn())
    .await?;
    match new.actor {
        Some(actor) => stays_read(tx, id, actor, now).await,
        None => Ok(0),
    }
}

/// Moves the receipt of the user who has caused the latest event to its time: what they had read or archived stays so. What
/// they had by a mark gets a receipt.
async fn stays_read(tx: &mut Tx, id: NotificationId, actor: UserId, now: DateTime<Utc>) -> QueryResult<usize> {
    sql_query(
        "UPDATE notification_receipts AS receipt SET at = n.at FROM notifications AS n \
         WHERE receipt.user_id = $2 AND receipt.notification_id = $1 AND n.id = $1",
    )
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(actor)
    .execute(tx.conn())
    .await?;
    sql_query(
        "INSERT INTO notification_receipts AS old (user_id, notification_id, read_through, read_at, archived_through, \
            archived_at, kept, changed_at, at) \
         SELECT mark.user_id, n.id, n.at, mark.read_at, CASE WHEN mark.archived_through >= n.other_at THEN n.at END, \
            CASE WHEN mark.archived_through >= n.other_at THEN mark.archived_at END, false, $3, n.at \
         FROM notification_marks AS mark, notifications AS n \
         WHERE mark.user_id = $2 AND n.id = $1 AND mark.read_through >= n.other_at \
         ON CONFLICT (user_id, notification_id) DO UPDATE SET read_through = excluded.read_through, \
            read_at = coalesce(old.read_at, excluded.read_at), \
            archived_through = coalesce(excluded.archived_through, old.archived_through), \
            archived_at = coalesce(old.archived_at, excluded.archived_at) WHERE NOT old.kept",
    )
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(actor)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await
}

/// Deletes the notifications of one user.
pub(crate) async fn delete_of(tx: &mut Tx, audience: &str) -> QueryResult<usize> {
    diesel::delete(notifications::table.filter(notifications::audience.eq(audience))).execute(tx.conn()).await
}

/// Deletes a notification by its audience and its group.
pub(crate) async fn delete_group(tx: &mut Tx, audience: &str, group: &str) -> QueryResult<usize> {
    let found = notifications::table.filter(notifications::audience.eq(audience));
    diesel::delete(found.filter(notifications::group_key.eq(group))).execute(tx.conn()).await
}
