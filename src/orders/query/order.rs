//! SQL for orders and their items.

use chrono::{DateTime, Utc};
use diesel::dsl::not;
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::entitlements::EntitlementId;
use crate::memberships::{MembershipId, PeriodId};
use crate::orders::model::{NewItem, NewOrder, Order, OrderId, OrderItem, OrderItemId, OrderItemKind, OrderStatus};
use crate::platform::db::schema::{gifts, order_items, orders};
use crate::platform::db::{RunQueryDsl, Tx};

/// The number of orders in one batch of a sweep.
const BATCH: i64 = 100;

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[OrderId]) -> QueryResult<Vec<Order>> {
    orders::table.filter(orders::id.eq_any(ids)).select(Order::as_select()).load(conn).await
}

pub(crate) async fn by_id(conn: &mut AsyncPgConnection, id: OrderId) -> QueryResult<Option<Order>> {
    orders::table.find(id).select(Order::as_select()).first(conn).await.optional()
}

/// Returns an order and locks it.
pub(crate) async fn lock(tx: &mut Tx, id: OrderId) -> QueryResult<Option<Order>> {
    orders::table.find(id).select(Order::as_select()).for_no_key_update().first(tx.conn()).await.optional()
}

/// Returns the items of orders, in the order of their places.
pub(crate) async fn items_of(conn: &mut AsyncPgConnection, orders: &[OrderId]) -> QueryResult<Vec<OrderItem>> {
    order_items::table
        .filter(order_items::order_id.eq_any(orders))
        .order((order_items::order_id, order_items::position))
        .select(OrderItem::as_select())
        .load(conn)
        .await
}

pub(crate) async fn items_by_ids(conn: &mut AsyncPgConnection, ids: &[OrderItemId]) -> QueryResult<Vec<OrderItem>> {
    order_items::table.filter(order_items::id.eq_any(ids)).select(OrderItem::as_select()).load(conn).await
}

/// Returns the orders with which accesses were bought, oldest first.
pub(crate) async fn of_entitlements(
    conn: &mut AsyncPgConnection,
    entitlements: &[EntitlementId],
) -> QueryResult<Vec<(Option<EntitlementId>, OrderId)>> {
    order_items::table
        .filter(order_items::entitlement_id.eq_any(entitlements))
        .order(order_items::id)
        .select((order_items::entitlement_id, order_items::order_id))
        .load(conn)
        .await
}

/// Returns all orders of memberships, latest first.
pub(crate) async fn of_memberships(
    conn: &mut AsyncPgConnection,
    memberships: &[MembershipId],
) -> QueryResult<Vec<(Option<MembershipId>, Order)>> {
    order_items::table
        .inner_join(orders::table)
        .filter(order_items::membership_id.eq_any(memberships))
        .order((orders::created_at.desc(), orders::id.desc()))
        .select((order_items::membership_id, Order::as_select()))
        .load(conn)
        .await
}

/// Returns the orders of periods of memberships.
pub(crate) async fn of_periods(
    conn: &mut AsyncPgConnection,
    periods: &[PeriodId],
) -> QueryResult<Vec<(Option<PeriodId>, OrderId)>> {
    order_items::table
        .filter(order_items::membership_period_id.eq_any(periods))
        .select((order_items::membership_period_id, order_items::order_id))
        .load(conn)
        .await
}

/// Returns the paid orders with which a user has bought a course, or has got it as a gift, and that do not give access.
pub(crate) async fn paid_without_access(
    conn: &mut AsyncPgConnection,
    owner: UserId,
    course: CourseId,
) -> QueryResult<Vec<OrderId>> {
    let paid = order_items::table
        .inner_join(orders::table)
        .filter(orders::status.eq_any([OrderStatus::Paid, OrderStatus::PartiallyRefunded]))
        .filter(order_items::course_id.eq(course).and(not(order_items::is_live)))
        .select(order_items::order_id);
    let own = order_items::kind.eq(OrderItemKind::Course).and(orders::buyer_id.eq(owner));
    let mut found: Vec<OrderId> = paid.clone().filter(own).load(conn).await?;
    let gifts = gifts::table.filter(gifts::claimed_by.eq(owner)).select(gifts::item_id);
    found.extend(paid.filter(order_items::id.eq_any(gifts)).load::<OrderId>(conn).await?);
    Ok(found)
}

/// Returns the live orders with which a user has bought one of the courses for themselves, each with the course.
pub(crate) async fn live_of(
    tx: &mut Tx,
    buyer: UserId,
    courses: &[CourseId],
) -> QueryResult<Vec<(Option<CourseId>, Order)>> {
    order_items::table
        .inner_join(orders::table)
        .filter(order_items::buyer_id.eq(buyer).and(order_items::is_live))
        .filter(order_items::kind.eq(OrderItemKind::Course))
        .filter(order_items::course_id.eq_any(courses))
        .select((order_items::course_id, Order::as_select()))
        .load(tx.conn())
        .await
}

pub(crate) async fn insert(tx: &mut Tx, new: &NewOrder<'_>) -> QueryResult<Order> {
    diesel::insert_into(orders::table).values(new).returning(Order::as_returning()).get_result(tx.conn()).await
}

pub(crate) async fn insert_items(tx: &mut Tx, new: Vec<NewItem>) -> QueryResult<Vec<OrderItem>> {
    let insert = diesel::insert_into(order_items::table).values(new);
    insert.returning(OrderItem::as_returning()).get_results(tx.conn()).await
}

/// Gives an order its new state, in which it does not expire.
pub(crate) async fn set_status(
    tx: &mut Tx,
    id: OrderId,
    status: OrderStatus,
    paid_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> QueryResult<Order> {
    diesel::update(orders::table.find(id))
        .set((
            orders::status.eq(status),
            orders::paid_at.eq(paid_at),
            orders::expires_at.eq(None::<DateTime<Utc>>),
            orders::remind_at.eq(None::<DateTime<Utc>>),
            orders::updated_at.eq(now),
        ))
        .returning(Order::as_returning())
        .get_result(tx.conn())
        .await
}

/// Keeps a pending order until its payment is decided: it is neither reminded of nor expires.
pub(crate) async fn set_processing(tx: &mut Tx, id: OrderId, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(orders::table.find(id))
        .set((
            orders::expires_at.eq(None::<DateTime<Utc>>),
            orders::remind_at.eq(None::<DateTime<Utc>>),
            orders::updated_at.eq(now),
        ))
        .execute(tx.conn())
        .await
}

/// Adds to the refunded amount of an order, or takes from it; its state is `status` then.
pub(crate) async fn add_refund(
    tx: &mut Tx,
    id: OrderId,
    status: OrderStatus,
    amount: i64,
    now: DateTime<Utc>,
) -> QueryResult<Order> {
    diesel::update(orders::table.find(id))
        .set((
            orders::status.eq(status),
            orders::refunded_minor.eq(orders::refunded_minor + amount),
            orders::updated_at.eq(now),
        ))
        .returning(Order::as_returning())
        .get_result(tx.conn())
        .await
}

/// Sets whether the items of an order are bought or being paid for.
pub(crate) async fn set_live(tx: &mut Tx, order: OrderId, is_live: bool) -> QueryResult<usize> {
    diesel::update(order_items::table.filter(order_items::order_id.eq(order)))
        .set(order_items::is_live.eq(is_live))
        .execute(tx.conn())
        .await
}

/// Sets whether an item is bought.
pub(crate) async fn set_item_live(tx: &mut Tx, id: OrderItemId, is_live: bool) -> QueryResult<usize> {
    diesel::update(order_items::table.find(id)).set(order_items::is_live.eq(is_live)).execute(tx.conn()).await
}

/// Keeps the access that was bought with an item.
pub(crate) async fn set_entitlement(tx: &mut Tx, id: OrderItemId, entitlement: EntitlementId) -> QueryResult<usize> {
    diesel::update(order_items::table.find(id))
        .set(order_items::entitlement_id.eq(entitlement))
        .execute(tx.conn())
        .await
}

/// Adds to the refunded amount of an item, or takes from it.
pub(crate) async fn add_item_refund(tx: &mut Tx, id: OrderItemId, amount: i64) -> QueryResult<OrderItem> {
    diesel::update(order_items::table.find(id))
        .set(order_items::refunded_minor.eq(order_items::refunded_minor + amount))
        .returning(OrderItem::as_returning())
        .get_result(tx.conn())
        .await
}

/// Returns a batch of orders whose time to pay is over.
pub(crate) async fn expired(conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> QueryResult<Vec<OrderId>> {
    orders::table
        .filter(orders::expires_at.le(now))
        .order((orders::expires_at, orders::id))
        .limit(BATCH)
        .select(orders::id)
        .load(conn)
        .await
}

/// Returns a batch of orders whose buyers are to be reminded, and marks them as reminded.
pub(crate) async fn take_unpaid(tx: &mut Tx, now: DateTime<Utc>) -> QueryResult<Vec<Order>> {
    let due: Vec<OrderId> = orders::table
        .filter(orders::remind_at.le(now))
        .order((orders::remind_at, orders::id))
        .limit(BATCH)
        .select(orders::id)
        .for_no_key_update()
        .skip_locked()
        .load(tx.conn())
        .await?;
    diesel::update(orders::table.filter(orders::id.eq_any(due)))
        .set(orders::remind_at.eq(None::<DateTime<Utc>>))
        .returning(Order::as_returning())
        .get_results(tx.conn())
        .await
}

/// Returns a batch of a user's pending orders.
pub(crate) async fn pending_of(conn: &mut AsyncPgConnection, buyer: UserId) -> QueryResult<Vec<OrderId>> {
    orders::table
        .filter(orders::buyer_id.eq(buyer).and(orders::status.eq(OrderStatus::Pending)))
        .limit(BATCH)
        .select(orders::id)
        .load(conn)
        .await
}
