//! SQL for gifts.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::accounts::UserId;
use crate::orders::model::{Gift, GiftId, NewGift, OrderId, OrderItemId};
use crate::platform::db::schema::{gifts, orders};
use crate::platform::db::{RunQueryDsl, Tx};

/// The number of gifts in one batch of a sweep.
const BATCH: i64 = 100;

pub(crate) async fn insert(tx: &mut Tx, new: Vec<NewGift<'_>>) -> QueryResult<usize> {
    diesel::insert_into(gifts::table).values(new).execute(tx.conn()).await
}

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[GiftId]) -> QueryResult<Vec<Gift>> {
    gifts::table.filter(gifts::id.eq_any(ids)).select(Gift::as_select()).load(conn).await
}

pub(crate) async fn by_code(tx: &mut Tx, code: &str) -> QueryResult<Option<Gift>> {
    gifts::table.filter(gifts::code.eq(code)).select(Gift::as_select()).first(tx.conn()).await.optional()
}

/// Returns the gifts of orders.
pub(crate) async fn of_orders(conn: &mut AsyncPgConnection, orders: &[OrderId]) -> QueryResult<Vec<Gift>> {
    gifts::table.filter(gifts::order_id.eq_any(orders)).select(Gift::as_select()).load(conn).await
}

/// Returns the gifts of items.
pub(crate) async fn of_items(conn: &mut AsyncPgConnection, items: &[OrderItemId]) -> QueryResult<Vec<Gift>> {
    gifts::table.filter(gifts::item_id.eq_any(items)).select(Gift::as_select()).load(conn).await
}

/// Returns the latest gifts that a user has claimed.
pub async fn claimed_by(conn: &mut AsyncPgConnection, user: UserId, limit: i64) -> QueryResult<Vec<Gift>> {
    gifts::table
        .filter(gifts::claimed_by.eq(user))
        .order((gifts::claimed_at.desc(), gifts::id.desc()))
        .limit(limit)
        .select(Gift::as_select())
        .load(conn)
        .await
}

/// Sets until when a gift can be claimed; `None` if it cannot be claimed anymore.
pub(crate) async fn set_expiry(tx: &mut Tx, id: GiftId, at: Option<DateTime<Utc>>) -> QueryResult<usize> {
    diesel::update(gifts::table.find(id)).set(gifts::expires_at.eq(at)).execute(tx.conn()).await
}

/// Counts one more mail of a gift, to this recipient and with this code.
pub(crate) async fn ask_mail(tx: &mut Tx, id: GiftId, (recipient, code): (&str, &str)) -> QueryResult<Gift> {
    diesel::update(gifts::table.find(id))
        .set((
            gifts::mails_asked.eq(gifts::mails_asked + 1),
            gifts::recipient_email.eq(recipient),
            gifts::code.eq(code),
        ))
        .returning(Gift::as_returning())
        .get_result(tx.conn())
        .await
}

/// Notes that a gift was mailed.
pub(crate) async fn set_mailed(tx: &mut Tx, id: GiftId, at: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(gifts::table.find(id)).set(gifts::mailed_at.eq(at)).execute(tx.conn()).await
}

/// Notes who has claimed a gift.
pub(crate) async fn set_claimed(tx: &mut Tx, id: GiftId, user: UserId, at: DateTime<Utc>) -> QueryResult<Gift> {
    diesel::update(gifts::table.find(id))
        .set((gifts::claimed_by.eq(user), gifts::claimed_at.eq(at), gifts::expires_at.eq(None::<DateTime<Utc>>)))
        .returning(Gift::as_returning())
        .get_result(tx.conn())
        .await
}

/// Returns a batch of gifts that were not claimed in time.
pub(crate) async fn expired(conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> QueryResult<Vec<Gift>> {
    gifts::table
        .filter(gifts::expires_at.le(now))
        .order((gifts::expires_at, gifts::id))
        .limit(BATCH)
        .select(Gift::as_select())
        .load(conn)
        .await
}

/// Removes what a deleted user has written with the gifts that do not have to be mailed anymore.
pub(crate) async fn forget_giver(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    let given = orders::table.filter(orders::buyer_id.eq(user)).select(orders::id);
    let done = gifts::mailed_at.is_not_null().or(gifts::expires_at.is_null());
    diesel::update(gifts::table.filter(gifts::order_id.eq_any(given).and(done)))
        .set((gifts::recipient_email.eq(""), gifts::message.eq("")))
        .execute(tx.conn())
        .await
}
