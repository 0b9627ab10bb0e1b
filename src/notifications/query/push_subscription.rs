//! SQL for the devices that are sent push messages.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::notifications::model::{PushSubscription, PushSubscriptionId};
use crate::platform::db::schema::push_subscriptions;
use crate::platform::db::{RunQueryDsl, Tx, Writer};

/// Registers a device. A known one stays the same, and from now on belongs to this session.
pub(crate) async fn register(tx: &mut Tx, new: &PushSubscription) -> QueryResult<PushSubscription> {
    let owner = (
        push_subscriptions::user_id.eq(new.user_id),
        push_subscriptions::session_id.eq(new.session_id),
        push_subscriptions::service.eq(new.service),
        push_subscriptions::p256dh.eq(&new.p256dh),
        push_subscriptions::auth.eq(&new.auth),
    );
    diesel::insert_into(push_subscriptions::table)
        .values((
            push_subscriptions::id.eq(new.id),
            push_subscriptions::address.eq(&new.address),
            push_subscriptions::created_at.eq(new.created_at),
            owner,
        ))
        .on_conflict(push_subscriptions::address)
        .do_update()
        .set(owner)
        .returning(PushSubscription::as_returning())
        .get_result(tx.conn())
        .await
}

/// Deletes all devices of a user but the `most` that were registered last.
pub(crate) async fn delete_oldest(tx: &mut Tx, user: UserId, most: i64) -> QueryResult<usize> {
    let old = push_subscriptions::table
        .filter(push_subscriptions::user_id.eq(user))
        .order((push_subscriptions::created_at.desc(), push_subscriptions::id.desc()))
        .offset(most)
        .select(push_subscriptions::id)
        .load::<PushSubscriptionId>(tx.conn())
        .await?;
    diesel::delete(push_subscriptions::table.filter(push_subscriptions::id.eq_any(old))).execute(tx.conn()).await
}

/// Deletes a device of a user; returns whether there was one.
pub(crate) async fn delete(tx: &mut Tx, user: UserId, id: PushSubscriptionId) -> QueryResult<bool> {
    let own = push_subscriptions::table.find(id).filter(push_subscriptions::user_id.eq(user));
    Ok(diesel::delete(own).execute(tx.conn()).await? == 1)
}

/// Deletes a device that does not exist anymore.
pub(crate) async fn drop_dead(writer: &mut Writer, id: PushSubscriptionId) -> QueryResult<usize> {
    diesel::delete(push_subscriptions::table.find(id)).execute(writer.conn()).await
}

/// Records that a push service has accepted a message.
pub(crate) async fn used(writer: &mut Writer, id: PushSubscriptionId, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(push_subscriptions::table.find(id))
        .set(push_subscriptions::last_used_at.eq(now))
        .execute(writer.conn())
        .await
}

/// Returns the devices of each of the users, the latest first.
pub(crate) async fn of_users(
    conn: &mut AsyncPgConnection,
    users: &[UserId],
) -> QueryResult<HashMap<UserId, Vec<PushSubscription>>> {
    let rows: Vec<PushSubscription> = push_subscriptions::table
        .filter(push_subscriptions::user_id.eq_any(users))
        .order((push_subscriptions::created_at.desc(), push_subscriptions::id.desc()))
        .select(PushSubscription::as_select())
        .load(conn)
        .await?;
    let mut found: HashMap<UserId, Vec<PushSubscription>> = HashMap::new();
    for row in rows {
        found.entry(row.user_id).or_default().push(row);
    }
    Ok(found)
}

/// Returns the devices with these ids.
pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> QueryResult<Vec<PushSubscription>> {
    push_subscriptions::table
        .filter(push_subscriptions::id.eq_any(ids))
        .select(PushSubscription::as_select())
        .load(conn)
        .await
}

/// Forgets the devices of a user.
pub(crate) async fn forget_user(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    diesel::delete(push_subscriptions::table.filter(push_subscriptions::user_id.eq(user))).execute(tx.conn()).await
}
