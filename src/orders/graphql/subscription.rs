//! The subscription to what happens to an order.

use async_graphql::{Context, Object, Subscription};
use futures_util::stream::{self, Stream, StreamExt};

use super::order::{OrderObject, order_node};
use crate::graphql::context::app;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::page::{decode_cursor, encode_cursor};
use crate::graphql::subscription::timed;
use crate::graphql::{Error, Result, Scoped, Sequential};
use crate::orders::error;
use crate::orders::event::{OrderChanged, topic};
use crate::orders::model::OrderId;
use crate::platform::outbox::{Position, feed};

const LIST: &str = "orderChanged";

/// A change of an order in the schema.
#[derive(Clone)]
pub(super) struct OrderEvent {
    position: Position,
    order: OrderId,
    is_start: bool,
}

/// A change of an order.
#[Object]
impl OrderEvent {
    /// The position of the event. Pass the last one that you received as `after` to resume without gaps.
    async fn cursor(&self) -> String {
        encode_cursor(LIST, &self.position)
    }

    /// Whether this is the first message of a subscription, which tells of no change.
    async fn is_start(&self) -> bool {
        self.is_start
    }

    /// The order as it is now; null if the viewer may not see it anymore.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Sequential<OrderObject>>> {
        Ok(order_node(ctx, self.order).await?.map(Sequential))
    }
}

/// The subscriptions of orders.
#[derive(Default)]
pub struct OrderSubscription;

#[Subscription]
impl OrderSubscription {
    /// Delivers each change of an order: its checkout is open, it was paid, has ended, or was refunded. The first
    /// message is the start, with the order as it is and a cursor. To resume after a disconnect, pass the last `cursor`
    /// as
    /// `after`: missed events come next, and none comes twice. The log reaches back 30 days: an older cursor, and after
    /// a restore of the server's data every earlier one, is refused with the code CURSOR_EXPIRED; query the order then.
    #[graphql(
        guard = "Scoped(Role::Student, Scope::ReadOrders)",
        directive = scoped::apply(Role::Student, Scope::ReadOrders)
    )]
    async fn order_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order, of the viewer unless they are an administrator.")] order_id: OrderId,
        #[graphql(desc = "The cursor of the last event received.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Sequential<OrderEvent>> + use<>> {
        order_node(ctx, order_id).await?.ok_or_else(error::no_such_order)?;
        let after = after.map(|cursor| decode_cursor(LIST, "after", &cursor)).transpose()?;
        let followed = feed::follow::<OrderChanged>(app(ctx).clone(), topic(order_id), after).await;
        let (start, events) = followed.map_err(|why| Error::unreadable(why, "the order"))?;
        let event = move |position, is_start| OrderEvent { position, order: order_id, is_start };
        let events = events.map(move |recorded| event(recorded.position, false));
        Ok(timed(ctx, stream::iter([event(start, true)]).chain(events)).map(Sequential))
    }
}
