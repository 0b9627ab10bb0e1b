//! SQL for what is sent by email and to devices.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::notifications::model::{Delivery, NewDelivery, Outcome, Walk};
use crate::platform::db::schema::{notification_deliveries, notification_unsubscribes};
use crate::platform::db::{RunQueryDsl, Tx, Writer, sql_query};

/// Begins to walk the audience of an event; nothing if that was begun before or there is no such event anymore.
pub(crate) async fn begin_walk(tx: &mut Tx, event: Uuid) -> QueryResult<usize> {
    sql_query(
        "INSERT INTO notification_walks (event_id, position) \
         SELECT id, uuid '00000000-0000-0000-0000-000000000000' FROM notification_events WHERE id = $1 \
         ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(event)
    .execute(tx.conn())
    .await
}

/// Returns a walk that has not ended.
pub(crate) async fn walk(conn: &mut AsyncPgConnection, event: Uuid) -> QueryResult<Option<Walk>> {
    sql_query(
        "SELECT event_id, notification_id, audience, kind, mute_keys, event.actor_id, position, facts \
         FROM notification_walks JOIN notification_events AS event ON event.id = event_id \
         JOIN notifications ON notifications.id = notification_id WHERE event_id = $1 AND ended_at IS NULL",
    )
    .bind::<SqlUuid, _>(event)
    .get_result(conn)
    .await
    .optional()
}

/// Moves a walk to a later position, or ends it. Returns false if another node has moved it.
pub(crate) async fn advance(tx: &mut Tx, walk: &Walk, to: Option<UserId>, now: DateTime<Utc>) -> QueryResult<bool> {
    let moved = sql_query(
        "UPDATE notification_walks SET position = coalesce($3, position), \
            ended_at = CASE WHEN $3::uuid IS NULL THEN $4 END \
         WHERE event_id = $1 AND position = $2 AND ended_at IS NULL",
    )
    .bind::<SqlUuid, _>(walk.event_id)
    .bind::<SqlUuid, _>(walk.position)
    .bind::<Nullable<SqlUuid>, _>(to.map(|id| id.uuid()))
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(moved == 1)
}

/// Inserts deliveries. One that waits already for the same notification stands for the new one, too.
pub(crate) async fn insert(
    tx: &mut Tx,
    walk: &Walk,
    new: &[(Uuid, NewDelivery)],
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    let of = |delivery: &NewDelivery| (delivery.slot.due_at, delivery.slot.digest_at);
    let (due, digests): (Vec<_>, Vec<_>) = new.iter().map(|(_, delivery)| of(delivery)).unzip();
    sql_query(
        "INSERT INTO notification_deliveries (id, user_id, notification_id, event_id, channel, push_subscription_id, \
            digest_at, due_at, status, created_at) \
         SELECT id, user_id, $1, $2, channel, push_subscription_id, digest_at, due_at, 'PENDING', $3 \
         FROM unnest($4, $5, $6, $7, $8, $9) \
            AS new (id, user_id, channel, push_subscription_id, digest_at, due_at) \
         ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(walk.notification_id.uuid())
    .bind::<SqlUuid, _>(walk.event_id)
    .bind::<Timestamptz, _>(now)
    .bind::<Array<SqlUuid>, _>(new.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(new.iter().map(|(_, delivery)| delivery.user_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(new.iter().map(|(_, delivery)| delivery.channel.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(
        new.iter().map(|(_, delivery)| delivery.subscription.map(|id| id.uuid())).collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<Timestamptz>>, _>(digests)
    .bind::<Array<Timestamptz>, _>(due)
    .execute(tx.conn())
    .await
}

/// Leases up to `limit` due deliveries until `until`, after which another node may take them, and with each of a digest
/// the others of it.
///
/// Nodes lease one after another, so that two of them do not get a part of one digest each.
pub(crate) async fn lease(
    tx: &mut Tx,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    limit: i64,
) -> QueryResult<Vec<Delivery>> {
    const LEASED: &str = "RETURNING id, user_id, notification_id, channel, push_subscription_id, digest_at, attempts";
    const LEASE: &str = "UPDATE notification_deliveries SET status = 'SENDING', due_at = $2, attempts = attempts + 1";
    sql_query("SELECT pg_advisory_xact_lock(hashtext('lyceum.notification_deliveries'))").execute(tx.conn()).await?;
    let mut leased: Vec<Delivery> = sql_query(format!(
        "{LEASE} WHERE id IN (SELECT id FROM notification_deliveries WHERE ended_at IS NULL AND due_at <= $1 \
            ORDER BY due_at LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED) {LEASED}"
    ))
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(until)
    .bind::<BigInt, _>(limit)
    .load(tx.conn())
    .await?;
    let (users, digests): (Vec<UserId>, Vec<DateTime<Utc>>) =
        leased.iter().filter_map(|delivery| Some((delivery.user_id, delivery.digest_at?))).unzip();
    if !users.is_empty() {
        let others: Vec<Delivery> = sql_query(format!(
            "{LEASE} WHERE ended_at IS NULL AND due_at <= $1 \
                AND (user_id, digest_at) IN (SELECT * FROM unnest($3, $4)) {LEASED}"
        ))
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(until)
        .bind::<Array<SqlUuid>, _>(users)
        .bind::<Array<Timestamptz>, _>(digests)
        .load(tx.conn())
        .await?;
        leased.extend(others);
    }
    Ok(leased)
}

/// Ends deliveries that are not over.
pub async fn end(
    writer: &mut Writer,
    ids: &[Uuid],
    outcome: Outcome,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    let open = notification_deliveries::id.eq_any(ids).and(notification_deliveries::ended_at.is_null());
    diesel::update(notification_deliveries::table.filter(open))
        .set((
            notification_deliveries::status.eq(outcome.as_str()),
            notification_deliveries::last_error.eq(error),
            notification_deliveries::ended_at.eq(now),
        ))
        .execute(writer.conn())
        .await
}

/// Plans the next attempt of deliveries that are not over.
pub(crate) async fn retry(writer: &mut Writer, ids: &[Uuid], error: &str, at: DateTime<Utc>) -> QueryResult<usize> {
    let open = notification_deliveries::id.eq_any(ids).and(notification_deliveries::ended_at.is_null());
    diesel::update(notification_deliveries::table.filter(open))
        .set((notification_deliveries::last_error.eq(error), notification_deliveries::due_at.eq(at)))
        .execute(writer.conn())
        .await
}

/// Returns which of the users have ended all emails.
pub(crate) async fn unsubscribed(conn: &mut AsyncPgConnection, users: &[UserId]) -> QueryResult<Vec<UserId>> {
    notification_unsubscribes::table
        .filter(notification_unsubscribes::user_id.eq_any(users))
        .select(notification_unsubscribes::user_id)
        .load(conn)
        .await
}

/// Ends all emails to a user.
pub(crate) async fn unsubscribe(tx: &mut Tx, user: UserId, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::insert_into(notification_unsubscribes::table)
        .values((notification_unsubscribes::user_id.eq(user), notification_unsubscribes::unsubscribed_at.eq(now)))
        .on_conflict_do_nothing()
        .execute(tx.conn())
        .await
}

/// Allows emails to a user again, of the kinds that they want.
pub(crate) async fn resubscribe(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    diesel::delete(notification_unsubscribes::table.find(user)).execute(tx.conn()).await
}

/// Forgets what was sent to a user, and that they wanted no emails.
pub(crate) async fn forget_user(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    resubscribe(tx, user).await?;
    let deliveries = notification_deliveries::table.filter(notification_deliveries::user_id.eq(user));
    diesel::delete(deliveries).execute(tx.conn()).await
}
