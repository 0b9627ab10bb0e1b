//! Refunds and disputes in the schema.

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};

use std::sync::Arc;

use super::order::{OrderItemObject, OrderObject, order_node};
use crate::graphql::context::{app, loaders, within};
use crate::graphql::guard::Scope;
use crate::graphql::money::Money;
use crate::graphql::sequential::SequentialList;
use crate::graphql::{Result, Sequential};
use crate::orders::command;
use crate::orders::loader::{CreditNoteOf, DisputeById, ItemsOf, PartsOf, RefundById};
use crate::orders::model::{Dispute, DisputeId, DisputeStatus, Order, Refund, RefundId, RefundState};
use crate::orders::policy;

/// A refund in the schema.
#[derive(Clone)]
pub(super) struct RefundObject {
    row: Refund,
    order: Arc<Order>,
}

impl RefundObject {
    pub(super) fn new(row: Refund, order: Arc<Order>) -> RefundObject {
        RefundObject { row, order }
    }
}

/// Money that goes back to the buyer of an order.
#[Object(name = "Refund")]
impl RefundObject {
    /// The id of the refund.
    async fn id(&self) -> RefundId {
        self.row.id
    }

    /// The order.
    async fn order(&self) -> Sequential<OrderObject> {
        Sequential(OrderObject(self.order.clone()))
    }

    /// The amount.
    async fn amount(&self) -> Sequential<Money> {
        Sequential(Money::new(self.row.amount_minor, self.order.currency))
    }

    /// The items that have a part of it.
    async fn items(&self, ctx: &Context<'_>) -> Result<SequentialList<OrderItemObject>> {
        let (items, parts) =
            tokio::try_join!(loaders(ctx).load(ItemsOf(self.order.id)), loaders(ctx).load(PartsOf(self.row.id)))?;
        let (items, parts) = (items.unwrap_or_default(), parts.unwrap_or_default());
        let of_refund = items.iter().filter(|item| parts.iter().any(|part| part.item_id == item.id));
        Ok(SequentialList(of_refund.map(|item| OrderItemObject::new(item, self.order.currency)).collect()))
    }

    /// The reason.
    async fn reason(&self) -> &str {
        &self.row.reason
    }

    /// Whether the provider has sent the money.
    async fn state(&self) -> RefundState {
        self.row.state
    }

    /// Why it has failed, as the provider says; null if it has not, and to others than administrators.
    async fn failure(&self, ctx: &Context<'_>) -> Option<&str> {
        self.row.failure.as_deref().filter(|_| policy::can_manage(within(ctx, Scope::ReadOrders)))
    }

    /// The credit note, which corrects the order's invoice, as a document (PDF). The URL works for an hour, for all who
    /// have it. Null until a job has issued the credit note, and if the order was never paid.
    async fn credit_note_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let note = loaders(ctx).load(CreditNoteOf(self.row.id)).await?;
        Ok(note.map(|note| command::invoice_url(app(ctx), &note)))
    }

    /// When it was decided.
    async fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }
}

/// Returns a refund to the buyer of its order and to administrators.
pub(super) async fn refund_node(ctx: &Context<'_>, id: RefundId) -> Result<Option<RefundObject>> {
    let Some(row) = loaders(ctx).load(RefundById(id)).await? else { return Ok(None) };
    let order = order_node(ctx, row.order_id).await?;
    Ok(order.map(|OrderObject(order)| RefundObject::new(Refund::clone(&row), order)))
}

/// A dispute in the schema.
#[derive(Clone)]
pub(super) struct DisputeObject {
    row: Dispute,
    order: Arc<Order>,
}

impl DisputeObject {
    pub(super) fn new(row: Dispute, order: Arc<Order>) -> DisputeObject {
        DisputeObject { row, order }
    }
}

/// A payment that the buyer's bank has taken back, at the buyer's request. The access ends; it returns if the dispute
/// is won.
#[Object(name = "Dispute")]
impl DisputeObject {
    /// The id of the dispute.
    async fn id(&self) -> DisputeId {
        self.row.id
    }

    /// The order.
    async fn order(&self) -> Sequential<OrderObject> {
        Sequential(OrderObject(self.order.clone()))
    }

    /// The disputed amount.
    async fn amount(&self) -> Sequential<Money> {
        Sequential(Money::new(self.row.amount_minor, self.order.currency))
    }

    /// The state of the dispute.
    async fn status(&self) -> DisputeStatus {
        self.row.status
    }

    /// When it was opened.
    async fn opened_at(&self) -> DateTime<Utc> {
        self.row.opened_at
    }
}

/// Returns a dispute to the buyer of its order and to administrators.
pub(super) async fn dispute_node(ctx: &Context<'_>, id: DisputeId) -> Result<Option<DisputeObject>> {
    let Some(row) = loaders(ctx).load(DisputeById(id)).await? else { return Ok(None) };
    let order = order_node(ctx, row.order_id).await?;
    Ok(order.map(|OrderObject(order)| DisputeObject::new(Dispute::clone(&row), order)))
}
