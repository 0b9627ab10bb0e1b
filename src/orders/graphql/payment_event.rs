//! What payment providers have told, for administrators.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::order::{OrderObject, order_node};
use crate::graphql::context::{actor, app, client, loaders, within};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, requires, scoped};
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::{Connection, PageArgs, Requires, Result, Scoped, Sequential, UserError};
use crate::orders::command;
use crate::orders::loader::{OrderOfPayment, PaymentEventById, PaymentEventCount, PaymentEventPage};
use crate::orders::model::{
    PaymentEvent, PaymentEventFilter, PaymentEventId, PaymentEventProvider, PaymentEventState, PaymentEventWhich,
    ReplayPaymentEventInput,
};
use crate::orders::policy;

const LIST: &str = "paymentEvents";

/// An event of a payment provider in the schema.
#[derive(Clone)]
pub(super) struct PaymentEventObject(Arc<PaymentEvent>);

/// An event that a payment provider has told by a webhook whose signature was right.
#[Object(name = "PaymentEvent")]
impl PaymentEventObject {
    /// The id of the event.
    async fn id(&self) -> PaymentEventId {
        self.0.id
    }

    /// The provider.
    async fn provider(&self) -> PaymentEventProvider {
        self.0.provider
    }

    /// The provider's id of the event.
    async fn external_id(&self) -> &str {
        &self.0.external_id
    }

    /// What has happened, such as `checkout.paid`.
    async fn kind(&self) -> &str {
        &self.0.kind
    }

    /// The order whose payment it is about; null if that is not known, and for Google Play.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Sequential<OrderObject>>> {
        let Ok(payment) = self.0.reference.parse() else { return Ok(None) };
        let Some(order) = loaders(ctx).load(OrderOfPayment(payment)).await? else { return Ok(None) };
        Ok(order_node(ctx, order).await?.map(Sequential))
    }

    /// The state.
    async fn state(&self) -> PaymentEventState {
        self.0.state
    }

    /// How often it was attempted to process the event.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// Why it could not be processed at the last attempt; null if it could.
    async fn last_error(&self) -> Option<&str> {
        self.0.last_error.as_deref()
    }

    /// When it was received for the first time.
    async fn received_at(&self) -> DateTime<Utc> {
        self.0.received_at
    }

    /// When it was processed; null if it is not.
    async fn processed_at(&self) -> Option<DateTime<Utc>> {
        self.0.processed_at
    }
}

/// Returns an event to administrators.
pub(super) async fn payment_event_node(ctx: &Context<'_>, id: PaymentEventId) -> Result<Option<PaymentEventObject>> {
    if !policy::can_manage(within(ctx, Scope::ReadOrders)) {
        return Ok(None);
    }
    Ok(loaders(ctx).load(PaymentEventById(id)).await?.map(PaymentEventObject))
}

/// The list of what payment providers have told.
#[derive(Default)]
pub(super) struct PaymentEventQuery;

#[Object]
impl PaymentEventQuery {
    /// What payment providers have told, latest first. Events are kept for 400 days.
    #[graphql(
        guard = "Scoped(Role::Admin, Scope::ReadOrders)",
        directive = scoped::apply(Role::Admin, Scope::ReadOrders)
    )]
    #[allow(clippy::too_many_arguments)]
    async fn payment_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which events to return; defaults to all.")] filter: Option<PaymentEventFilter>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<PaymentEventObject>>>> {
        let page = PageArgs { first, after, last, before }.timed_page(LIST)?;
        let PaymentEventFilter { states, order_id } = filter.unwrap_or_default();
        let which = PaymentEventWhich { states, order: order_id };
        let rows = loaders(ctx).load(PaymentEventPage(which.clone(), page.clone())).await?.unwrap_or_default();
        let connection = page.connection(rows, PaymentEventObject, |PaymentEventObject(row)| {
            encode_cursor(LIST, &(row.received_at.timestamp_micros(), row.id.uuid()))
        });
        if !wants_total(ctx) {
            return Ok(Some(Sequential(connection)));
        }
        let total = loaders(ctx).load(PaymentEventCount(which)).await?.unwrap_or_default();
        Ok(Some(Sequential(connection.with_total(total))))
    }
}

/// The payload of `replayPaymentEvent`.
#[derive(SimpleObject)]
struct ReplayPaymentEventPayload {
    /// The event, which waits to be processed; null if there are `userErrors`.
    payment_event: Option<Sequential<PaymentEventObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The mutations of what payment providers have told.
#[derive(Default)]
pub(super) struct PaymentEventMutation;

#[Object]
impl PaymentEventMutation {
    /// Has an event processed again that was refused or waits. The audit trail records it.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn replay_payment_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The event.")] input: ReplayPaymentEventInput,
    ) -> Result<Option<Sequential<ReplayPaymentEventPayload>>> {
        let (row, user_errors) = payload(command::replay(app(ctx), actor(ctx), client(ctx), input).await)?;
        let payment_event = row.map(|row| Sequential(PaymentEventObject(Arc::new(row))));
        Ok(Some(Sequential(ReplayPaymentEventPayload { payment_event, user_errors })))
    }
}
