//! What payment providers have told.

use async_graphql::{Enum, InputObject};
use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::Value;

use super::OrderId;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::payment_events;
use crate::platform::db::stored_as_text;
use crate::platform::payments::Provider;

/// The id of an event: `payment_event_01j…`.
pub(in crate::orders) type PaymentEventId = Id<PaymentEvent>;

/// An event that a provider has told by a webhook.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = payment_events, check_for_backend(diesel::pg::Pg))]
pub(in crate::orders) struct PaymentEvent {
    /// The id.
    pub(in crate::orders) id: PaymentEventId,
    /// The provider.
    pub(in crate::orders) provider: Provider,
    /// The provider's id.
    pub(in crate::orders) external_id: String,
    /// The id of the payment, as the provider was told it.
    pub(in crate::orders) reference: String,
    /// The kind of event.
    pub(in crate::orders) kind: String,
    /// What was told, without what is personal.
    pub(in crate::orders) body: Value,
    /// The state.
    pub(in crate::orders) state: PaymentEventState,
    /// How often it was attempted to process it.
    pub(in crate::orders) attempts: i32,
    /// Why it is not processed.
    pub(in crate::orders) last_error: Option<String>,
    /// When it was received.
    pub(in crate::orders) received_at: DateTime<Utc>,
    /// When it was processed.
    pub(in crate::orders) processed_at: Option<DateTime<Utc>>,
}

impl Entity for PaymentEvent {
    const PREFIX: &'static str = "payment_event";
}

/// The state of an event of a payment provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum PaymentEventState {
    /// It is to be processed.
    Received,
    /// The payment that it names is not known, or not yet: it is tried again.
    Waiting,
    /// It is processed.
    Processed,
    /// It contradicts the payment, the payment has stayed unknown, or this version cannot read it. It can be replayed.
    Refused,
}

stored_as_text!(PaymentEventState {
    Received = "RECEIVED",
    Waiting = "WAITING",
    Processed = "PROCESSED",
    Refused = "REFUSED",
});

/// A filter for the events of payment providers; its conditions are combined with AND. Omitted fields restrict nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, InputObject)]
pub(in crate::orders) struct PaymentEventFilter {
    /// Events in one of these states.
    pub(in crate::orders) states: Option<Vec<PaymentEventState>>,
    /// Events about the payment of this order.
    pub(in crate::orders) order_id: Option<OrderId>,
}

/// The events in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::orders) struct PaymentEventWhich {
    /// The states; `None` for any.
    pub(in crate::orders) states: Option<Vec<PaymentEventState>>,
    /// The order; `None` for any.
    pub(in crate::orders) order: Option<OrderId>,
}
