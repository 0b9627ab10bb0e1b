//! Orders and their items in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};

use super::coupon::{CouponObject, coupon_node};
use super::gift::GiftObject;
use super::refund::{DisputeObject, RefundObject};
use crate::accounts::{UserObject, user_node};
use crate::catalog::{CourseObject, course_for_enrolled};
use crate::entitlements::{EntitlementId, EntitlementObject, entitlement_node};
use crate::graphql::context::{app, loaders, within};
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::money::{CurrencyCode, Money};
use crate::graphql::sequential::SequentialList;
use crate::graphql::{Result, Sequential};
use crate::memberships::{MembershipObject, PeriodId, PlanPriceObject, membership_node, plan_price_of_period};
use crate::orders::loader::{
    CouponById, DisputesOf, GiftOf, InvoiceOf, ItemsOf, OrderById, OrderOf, OrderOfPeriod, PaymentOf, RefundsOf,
};
use crate::orders::model::{Dispute, Order, OrderId, OrderItem, OrderItemId, OrderItemKind, OrderStatus, Refund};
use crate::orders::{command, error, policy};
use crate::platform::payments::Provider;

/// An order in the schema.
#[derive(Clone)]
pub struct OrderObject(pub(super) Arc<Order>);

/// What a user buys at once. The prices are those of the time when it was placed.
#[Object(name = "Order")]
impl OrderObject {
    /// The id of the order.
    async fn id(&self) -> OrderId {
        self.0.id
    }

    /// The number of the order, to show to people.
    async fn number(&self) -> String {
        self.0.number.to_string()
    }

    /// The state of the order.
    async fn status(&self) -> OrderStatus {
        self.0.status
    }

    /// The states that may come next; empty if this one is final.
    async fn next_statuses(&self) -> Vec<OrderStatus> {
        self.0.status.next()
    }

    /// The user who buys; of a deleted account only the id is left.
    async fn buyer(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        Ok(user_node(ctx, self.0.buyer_id).await?.map(Sequential))
    }

    /// What is bought, 1 to 20 items.
    async fn items(&self, ctx: &Context<'_>) -> Result<SequentialList<OrderItemObject>> {
        let items = loaders(ctx).load(ItemsOf(self.0.id)).await?.unwrap_or_default();
        let object = |item: &OrderItem| OrderItemObject::new(item, self.0.currency);
        Ok(SequentialList(items.iter().map(object).collect()))
    }

    /// The code of the coupon, as it is now; null if there was none.
    async fn coupon_code(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let Some(id) = self.0.coupon_id else { return Ok(None) };
        Ok(loaders(ctx).load(CouponById(id)).await?.map(|coupon| coupon.code.clone()))
    }

    /// The coupon, as it is now; null if there was none. Visible to administrators; for others it is null, with an
    /// error.
    #[graphql(directive = scoped::apply(Role::Admin, Scope::ReadOrders))]
    async fn coupon(&self, ctx: &Context<'_>) -> Result<Option<Sequential<CouponObject>>> {
        if !policy::can_manage(within(ctx, Scope::ReadOrders)) {
            return Err(error::coupons_forbidden());
        }
        let Some(id) = self.0.coupon_id else { return Ok(None) };
        Ok(coupon_node(ctx, id).await?.map(Sequential))
    }

    /// The prices of all items, before the discount; without the tax if that is added to them.
    async fn subtotal(&self) -> Sequential<Money> {
        let added = if self.0.tax_included { 0 } else { self.0.tax_minor };
        Sequential(Money::new(self.0.total_minor + self.0.discount_minor - added, self.0.currency))
    }

    /// What the coupon took off.
    async fn discount(&self) -> Sequential<Money> {
        Sequential(Money::new(self.0.discount_minor, self.0.currency))
    }

    /// The tax in the total.
    async fn tax(&self) -> Sequential<Money> {
        Sequential(Money::new(self.0.tax_minor, self.0.currency))
    }

    /// Whether the tax is in the prices already; otherwise it was added to them.
    async fn is_tax_included(&self) -> bool {
        self.0.tax_included
    }

    /// What the buyer pays.
    async fn total(&self) -> Sequential<Money> {
        Sequential(Money::new(self.0.total_minor, self.0.currency))
    }

    /// What goes or went back to the buyer.
    async fn refunded(&self) -> Sequential<Money> {
        Sequential(Money::new(self.0.refunded_minor, self.0.currency))
    }

    /// The provider of the payment; null if the order costs nothing.
    async fn provider(&self, ctx: &Context<'_>) -> Result<Option<Provider>> {
        Ok(loaders(ctx).load(PaymentOf(self.0.id)).await?.map(|payment| payment.provider))
    }

    /// The page of the provider on which the buyer pays; null if the order is not to be paid, while the provider
    /// processes its payment, and for a moment while it does not answer: `orderChanged` tells when it is there.
    async fn checkout_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        checkout_of(ctx, &self.0).await
    }

    /// The invoice as a document (PDF). The URL works for an hour, for all who have it. Null until a job has issued the
    /// invoice, some seconds after the payment, and if the order costs nothing.
    async fn invoice_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        if self.0.paid_at.is_none() {
            return Ok(None);
        }
        let invoice = loaders(ctx).load(InvoiceOf(self.0.id)).await?;
        Ok(invoice.map(|invoice| command::invoice_url(app(ctx), &invoice)))
    }

    /// The refunds of the order, oldest first.
    async fn refunds(&self, ctx: &Context<'_>) -> Result<SequentialList<RefundObject>> {
        let rows = loaders(ctx).load(RefundsOf(self.0.id)).await?.unwrap_or_default();
        let object = |row: &Refund| RefundObject::new(row.clone(), self.0.clone());
        Ok(SequentialList(rows.iter().map(object).collect()))
    }

    /// The disputes about the payment, oldest first.
    async fn disputes(&self, ctx: &Context<'_>) -> Result<SequentialList<DisputeObject>> {
        let rows = loaders(ctx).load(DisputesOf(self.0.id)).await?.unwrap_or_default();
        let object = |row: &Dispute| DisputeObject::new(row.clone(), self.0.clone());
        Ok(SequentialList(rows.iter().map(object).collect()))
    }

    /// When the order was placed.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the order was paid; null if it was not.
    async fn paid_at(&self) -> Option<DateTime<Utc>> {
        self.0.paid_at
    }

    /// When the order expires if it is not paid; null unless it is pending, and while the provider processes its
    /// payment, such as a bank debit: the order is neither reminded of nor expires then.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }
}

/// An item of an order in the schema.
#[derive(Clone)]
pub(super) struct OrderItemObject {
    item: OrderItem,
    currency: CurrencyCode,
}

impl OrderItemObject {
    pub(super) fn new(item: &OrderItem, currency: CurrencyCode) -> OrderItemObject {
        OrderItemObject { item: item.clone(), currency }
    }
}

/// An item of an order.
#[Object(name = "OrderItem")]
impl OrderItemObject {
    /// The id of the item.
    async fn id(&self) -> OrderItemId {
        self.item.id
    }

    /// What it is.
    async fn kind(&self) -> OrderItemKind {
        self.item.kind
    }

    /// What it was called when it was ordered.
    async fn title(&self) -> &str {
        &self.item.title
    }

    /// What the buyer pays for it: the price without the discount, with the tax.
    async fn amount(&self) -> Sequential<Money> {
        Sequential(Money::new(self.item.amount_minor, self.currency))
    }

    /// What the coupon took off its price.
    async fn discount(&self) -> Sequential<Money> {
        Sequential(Money::new(self.item.discount_minor, self.currency))
    }

    /// The tax in the amount.
    async fn tax(&self) -> Sequential<Money> {
        Sequential(Money::new(self.item.tax_minor, self.currency))
    }

    /// What goes or went back to the buyer. If it is the whole amount, the access has ended.
    async fn refunded(&self) -> Sequential<Money> {
        Sequential(Money::new(self.item.refunded_minor, self.currency))
    }

    /// The course; null of a donation, if the viewer may not see the course, and if it was deleted.
    async fn course(&self, ctx: &Context<'_>) -> Result<Option<Sequential<CourseObject>>> {
        let Some(course) = self.item.course_id else { return Ok(None) };
        Ok(course_for_enrolled(ctx, course).await?.map(Sequential))
    }

    /// The price of the plan for which a period is charged; null for other items.
    async fn plan_price(&self, ctx: &Context<'_>) -> Result<Option<Sequential<PlanPriceObject>>> {
        let Some(period) = self.item.membership_period_id else { return Ok(None) };
        plan_price_of_period(ctx, period).await
    }

    /// The gift; null if it is none.
    async fn gift(&self, ctx: &Context<'_>) -> Result<Option<Sequential<GiftObject>>> {
        if self.item.kind != OrderItemKind::Gift {
            return Ok(None);
        }
        let gift = loaders(ctx).load(GiftOf(self.item.id)).await?;
        Ok(gift.map(|gift| Sequential(GiftObject::new(gift, self.item.course_id))))
    }

    /// The membership, one period of which is bought; null for other items.
    async fn membership(&self, ctx: &Context<'_>) -> Result<Option<Sequential<MembershipObject>>> {
        let Some(id) = self.item.membership_id else { return Ok(None) };
        Ok(membership_node(ctx, id).await?.map(Sequential))
    }

    /// The access that was bought, also after it has ended; null while it is not paid.
    async fn entitlement(&self, ctx: &Context<'_>) -> Result<Option<Sequential<EntitlementObject>>> {
        let Some(id) = self.item.entitlement_id else { return Ok(None) };
        Ok(entitlement_node(ctx, id).await?.map(Sequential))
    }
}

/// Returns an order to its buyer and to administrators.
pub(super) async fn order_node(ctx: &Context<'_>, id: OrderId) -> Result<Option<OrderObject>> {
    let viewer = within(ctx, Scope::ReadOrders);
    let row = loaders(ctx).load(OrderById(id)).await?;
    Ok(row.filter(|row| policy::can_see(viewer, row.buyer_id)).map(OrderObject))
}

async fn checkout_of(ctx: &Context<'_>, order: &Order) -> Result<Option<String>> {
    if order.status != OrderStatus::Pending || order.is_processing() {
        return Ok(None);
    }
    Ok(loaders(ctx).load(PaymentOf(order.id)).await?.and_then(|payment| payment.checkout_url.clone()))
}

/// Returns the page on which the order of a membership's period is paid; `None` if it is not paid on a page. The caller has
/// checked that the viewer may see the membership.
///
/// # Errors
/// The database failed.
pub(crate) async fn checkout_of_period(ctx: &Context<'_>, period: PeriodId) -> Result<Option<String>> {
    let Some(order) = loaders(ctx).load(OrderOfPeriod(period)).await? else { return Ok(None) };
    match order_node(ctx, order).await? {
        Some(OrderObject(order)) => checkout_of(ctx, &order).await,
        None => Ok(None),
    }
}

/// Returns the latest order with which an access was bought, to its buyer and to administrators.
///
/// # Errors
/// The database failed.
pub(crate) async fn order_of_entitlement(
    ctx: &Context<'_>,
    entitlement: EntitlementId,
) -> Result<Option<Sequential<OrderObject>>> {
    let Some(order) = loaders(ctx).load(OrderOf(entitlement)).await? else { return Ok(None) };
    Ok(order_node(ctx, order).await?.map(Sequential))
}
