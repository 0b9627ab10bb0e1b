//! Loads orders in batches. They are not cached across requests.

mod donation;
mod earnings;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::{FutureExt, TryFutureExt};
use uuid::Uuid;

pub use donation::{DonationById, DonationCount, DonationPage};
pub use earnings::{EarnedBy, EarnedIn, PayoutsOf, SaleCount, SalePage};

use super::model::{
    Coupon, CouponId, CouponScope, Dispute, DisputeId, Gift, GiftId, Invoice, Order, OrderId, OrderItem, OrderItemId,
    OrderWhich, Payment, PaymentEvent, PaymentEventId, PaymentEventWhich, Refund, RefundId, RefundItem, SortedPage,
};
use super::query::{coupon, event, gift, invoice, list, order as query, payment, refund};
use crate::entitlements::EntitlementId;
use crate::graphql::loaders::{Load, shared};
use crate::graphql::page::Page;
use crate::memberships::{MembershipId, PeriodId};
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// One order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OrderById(pub OrderId);

impl Load for OrderById {
    type Value = Arc<Order>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Order>>, InternalError> {
        let ids: Vec<OrderId> = keys.iter().map(|key| key.0).collect();
        let rows = query::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (OrderById(row.id), Arc::new(row))).collect())
    }
}

/// Groups rows by their keys.
fn grouped<K: Eq + Hash, V>(rows: Vec<V>, key: impl Fn(&V) -> K) -> HashMap<K, Arc<Vec<V>>> {
    let mut groups: HashMap<K, Vec<V>> = HashMap::new();
    for row in rows {
        groups.entry(key(&row)).or_default().push(row);
    }
    groups.into_iter().map(|(key, rows)| (key, Arc::new(rows))).collect()
}

/// The latest order with which an access was bought; missing if it was not bought.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OrderOf(pub EntitlementId);

impl Load for OrderOf {
    type Value = OrderId;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, OrderId>, InternalError> {
        let ids: Vec<EntitlementId> = keys.iter().map(|key| key.0).collect();
        let rows = query::of_entitlements(&mut *app.db.read().await?, &ids).await?;
        // Oldest first, so that the latest one stays.
        Ok(rows.into_iter().filter_map(|(entitlement, order)| Some((OrderOf(entitlement?), order))).collect())
    }
}

/// All orders of a membership, latest first; missing if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OrdersOf(pub MembershipId);

impl Load for OrdersOf {
    type Value = Arc<Vec<Arc<Order>>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<MembershipId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<OrdersOf, Vec<Arc<Order>>> = HashMap::new();
        for (membership, order) in query::of_memberships(&mut *app.db.read().await?, &ids).await? {
            if let Some(id) = membership {
                found.entry(OrdersOf(id)).or_default().push(Arc::new(order));
            }
        }
        Ok(found.into_iter().map(|(key, rows)| (key, Arc::new(rows))).collect())
    }
}

/// The order of a period of a membership.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OrderOfPeriod(pub PeriodId);

impl Load for OrderOfPeriod {
    type Value = OrderId;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, OrderId>, InternalError> {
        let ids: Vec<PeriodId> = keys.iter().map(|key| key.0).collect();
        let rows = query::of_periods(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().filter_map(|(period, order)| Some((OrderOfPeriod(period?), order))).collect())
    }
}

/// The order of a payment.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OrderOfPayment(pub Uuid);

impl Load for OrderOfPayment {
    type Value = OrderId;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, OrderId>, InternalError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = payment::orders_of(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|(id, order)| (OrderOfPayment(id), order)).collect())
    }
}

/// The items of an order, in the order of their places.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ItemsOf(pub OrderId);

impl Load for ItemsOf {
    type Value = Arc<Vec<OrderItem>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<OrderId> = keys.iter().map(|key| key.0).collect();
        let rows = query::items_of(&mut *app.db.read().await?, &ids).await?;
        Ok(grouped(rows, |row| ItemsOf(row.order_id)))
    }
}

/// One gift.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct GiftById(pub GiftId);

impl Load for GiftById {
    type Value = Arc<Gift>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Gift>>, InternalError> {
        let ids: Vec<GiftId> = keys.iter().map(|key| key.0).collect();
        let rows = gift::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (GiftById(row.id), Arc::new(row))).collect())
    }
}

/// The gift that an item is; missing if it is none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct GiftOf(pub OrderItemId);

impl Load for GiftOf {
    type Value = Arc<Gift>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Gift>>, InternalError> {
        let ids: Vec<OrderItemId> = keys.iter().map(|key| key.0).collect();
        let rows = gift::of_items(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (GiftOf(row.item_id), Arc::new(row))).collect())
    }
}

/// One item of an order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ItemById(pub OrderItemId);

impl Load for ItemById {
    type Value = Arc<OrderItem>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<OrderItem>>, InternalError> {
        let ids: Vec<OrderItemId> = keys.iter().map(|key| key.0).collect();
        let rows = query::items_by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (ItemById(row.id), Arc::new(row))).collect())
    }
}

/// The payment of an order; missing if the order costs nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PaymentOf(pub OrderId);

impl Load for PaymentOf {
    type Value = Arc<Payment>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Payment>>, InternalError> {
        let ids: Vec<OrderId> = keys.iter().map(|key| key.0).collect();
        let rows = payment::of_orders(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (PaymentOf(row.order_id), Arc::new(row))).collect())
    }
}

/// The refunds of an order, oldest first.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RefundsOf(pub OrderId);

impl Load for RefundsOf {
    type Value = Arc<Vec<Refund>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<OrderId> = keys.iter().map(|key| key.0).collect();
        let rows = refund::of_orders(&mut *app.db.read().await?, &ids).await?;
        Ok(grouped(rows, |row| RefundsOf(row.order_id)))
    }
}

/// One refund.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RefundById(pub RefundId);

impl Load for RefundById {
    type Value = Arc<Refund>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Refund>>, InternalError> {
        let ids: Vec<RefundId> = keys.iter().map(|key| key.0).collect();
        let rows = refund::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (RefundById(row.id), Arc::new(row))).collect())
    }
}

/// The parts of a refund.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PartsOf(pub RefundId);

impl Load for PartsOf {
    type Value = Arc<Vec<RefundItem>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<RefundId> = keys.iter().map(|key| key.0).collect();
        let rows = refund::parts_of(&mut *app.db.read().await?, &ids).await?;
        Ok(grouped(rows, |row| PartsOf(row.refund_id)))
    }
}

/// The invoice of an order; missing until a job has issued it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct InvoiceOf(pub OrderId);

impl Load for InvoiceOf {
    type Value = Arc<Invoice>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<OrderId> = keys.iter().map(|key| key.0).collect();
        let rows = invoice::of_orders(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (InvoiceOf(row.order_id), Arc::new(row))).collect())
    }
}

/// The credit note of a refund; missing until a job has issued it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CreditNoteOf(pub RefundId);

impl Load for CreditNoteOf {
    type Value = Arc<Invoice>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<RefundId> = keys.iter().map(|key| key.0).collect();
        let rows = invoice::of_refunds(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().filter_map(|row| Some((CreditNoteOf(row.refund_id?), Arc::new(row)))).collect())
    }
}

/// The disputes about an order, oldest first.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DisputesOf(pub OrderId);

impl Load for DisputesOf {
    type Value = Arc<Vec<Dispute>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<OrderId> = keys.iter().map(|key| key.0).collect();
        let rows = refund::disputes_of(&mut *app.db.read().await?, &ids).await?;
        Ok(grouped(rows, |row| DisputesOf(row.order_id)))
    }
}

/// One dispute.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DisputeById(pub DisputeId);

impl Load for DisputeById {
    type Value = Arc<Dispute>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Dispute>>, InternalError> {
        let ids: Vec<DisputeId> = keys.iter().map(|key| key.0).collect();
        let rows = refund::disputes_by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (DisputeById(row.id), Arc::new(row))).collect())
    }
}

/// A page of orders, in the direction of the page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OrderPage {
    /// Which orders.
    pub which: OrderWhich,
    /// Whether they are in ascending order.
    pub ascending: bool,
    /// The page.
    pub page: SortedPage,
}

impl Load for OrderPage {
    type Value = Vec<Arc<Order>>;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let read = app
            .db
            .read_each(keys, |conn, key| list::page(conn, &key.which, key.ascending, &key.page).map_ok(shared).boxed());
        read.await
    }
}

/// The number of orders in a list.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OrderCount(pub OrderWhich);

impl Load for OrderCount {
    type Value = i64;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        app.db.read_each(keys, |conn, key| list::count(conn, &key.0).boxed()).await
    }
}

/// One event of a payment provider.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PaymentEventById(pub PaymentEventId);

impl Load for PaymentEventById {
    type Value = Arc<PaymentEvent>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<PaymentEvent>>, InternalError> {
        let ids: Vec<PaymentEventId> = keys.iter().map(|key| key.0).collect();
        let rows = event::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (PaymentEventById(row.id), Arc::new(row))).collect())
    }
}

/// A page of events of payment providers, in the direction of the page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PaymentEventPage(pub PaymentEventWhich, pub Page<(DateTime<Utc>, Uuid)>);

impl Load for PaymentEventPage {
    type Value = Vec<Arc<PaymentEvent>>;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let read = app.db.read_each(keys, |conn, PaymentEventPage(which, page)| {
            event::page(conn, which, page).map_ok(shared).boxed()
        });
        read.await
    }
}

/// The number of events in a list.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PaymentEventCount(pub PaymentEventWhich);

impl Load for PaymentEventCount {
    type Value = i64;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        app.db.read_each(keys, |conn, key| event::count(conn, &key.0).boxed()).await
    }
}

/// One coupon.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CouponById(pub CouponId);

impl Load for CouponById {
    type Value = Arc<Coupon>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Coupon>>, InternalError> {
        let ids: Vec<CouponId> = keys.iter().map(|key| key.0).collect();
        let rows = coupon::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (CouponById(row.id), Arc::new(row))).collect())
    }
}

/// What a coupon is for; missing if that is everything.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ScopeOf(pub CouponId);

impl Load for ScopeOf {
    type Value = Arc<CouponScope>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<CouponId> = keys.iter().map(|key| key.0).collect();
        let rows = coupon::scopes(&mut *app.db.read().await?, &ids).await?;
        let mut scopes: HashMap<Self, CouponScope> = HashMap::new();
        for (id, course) in rows.courses {
            scopes.entry(ScopeOf(id)).or_default().courses.push(course);
        }
        for (id, category) in rows.categories {
            scopes.entry(ScopeOf(id)).or_default().categories.push(category);
        }
        for (id, plan) in rows.plans {
            scopes.entry(ScopeOf(id)).or_default().plans.push(plan);
        }
        Ok(scopes.into_iter().map(|(key, scope)| (key, Arc::new(scope))).collect())
    }
}

/// The number of orders that use a coupon; missing if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UsesOf(pub CouponId);

impl Load for UsesOf {
    type Value = i64;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        let ids: Vec<CouponId> = keys.iter().map(|key| key.0).collect();
        let rows = coupon::use_counts(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().filter_map(|(id, count)| Some((UsesOf(id?), count))).collect())
    }
}

/// A page of coupons, in the direction of the page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CouponPage(pub Option<bool>, pub Page<(DateTime<Utc>, Uuid)>);

impl Load for CouponPage {
    type Value = Vec<Arc<Coupon>>;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let read = app.db.read_each(keys, |conn, CouponPage(is_archived, page)| {
            coupon::page(conn, *is_archived, page).map_ok(shared).boxed()
        });
        read.await
    }
}

/// The number of coupons in a list.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CouponCount(pub Option<bool>);

impl Load for CouponCount {
    type Value = i64;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        app.db.read_each(keys, |conn, key| coupon::count(conn, key.0).boxed()).await
    }
}
