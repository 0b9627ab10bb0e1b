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
pub type PaymentEventId = Id<PaymentEvent>;

/// An event that a provider has told by a webhook. It has no `Debug`, as the token of a purchase on Google Play is a
/// secret.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = payment_events, check_for_backend(diesel::pg::Pg))]
pub struct PaymentEvent {
    /// The id.
    pub id: PaymentEventId,
    /// The provider.
    pub provider: PaymentEventProvider,
    /// The provider's id.
    pub external_id: String,
    /// The id of the payment, as the provider was told it.
    pub reference: String,
    /// The kind of event.
    pub kind: String,
    /// What was told, without what is personal.
    pub(crate) body: Value,
    /// The state.
    pub state: PaymentEventState,
    /// How often it was attempted to process it.
    pub attempts: i32,
    /// Why it is not processed.
    pub last_error: Option<String>,
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// When it was processed.
    pub processed_at: Option<DateTime<Utc>>,
}

impl Entity for PaymentEvent {
    const PREFIX: &'static str = "payment_event";
}

/// An event that was not stored yet. It has no `Debug` either.
pub(crate) struct ToldEvent<'a> {
    /// The provider.
    pub provider: PaymentEventProvider,
    /// The provider's id, which is the same when it is sent again.
    pub external_id: &'a str,
    /// The id of the payment, as the provider was told it; empty if it names none.
    pub reference: &'a str,
    /// The kind of event.
    pub kind: &'a str,
    /// What was told, without what is personal.
    pub(crate) body: &'a Value,
}

/// Who has told an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum PaymentEventProvider {
    /// The sandbox of this server.
    Sandbox,
    /// Stripe.
    Stripe,
    /// Razorpay.
    Razorpay,
    /// PayPal.
    Paypal,
    /// Google Play: it tells of purchases in an app, which are memberships without orders.
    GooglePlay,
}

stored_as_text!(PaymentEventProvider {
    Sandbox = "SANDBOX",
    Stripe = "STRIPE",
    Razorpay = "RAZORPAY",
    Paypal = "PAYPAL",
    GooglePlay = "GOOGLE_PLAY",
});

impl From<Provider> for PaymentEventProvider {
    fn from(provider: Provider) -> PaymentEventProvider {
        match provider {
            Provider::Sandbox => PaymentEventProvider::Sandbox,
            Provider::Stripe => PaymentEventProvider::Stripe,
            Provider::Razorpay => PaymentEventProvider::Razorpay,
            Provider::Paypal => PaymentEventProvider::Paypal,
        }
    }
}

impl PaymentEventProvider {
    /// Returns the provider at which orders are paid; `None` for Google Play.
    pub(crate) fn gateway(self) -> Option<Provider> {
        match self {
            PaymentEventProvider::Sandbox => Some(Provider::Sandbox),
            PaymentEventProvider::Stripe => Some(Provider::Stripe),
            PaymentEventProvider::Razorpay => Some(Provider::Razorpay),
            PaymentEventProvider::Paypal => Some(Provider::Paypal),
            PaymentEventProvider::GooglePlay => None,
        }
    }
}

/// The state of an event of a payment provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum PaymentEventState {
    /// It is to be processed.
    Received,
    /// The payment or purchase that it names is not known, or not yet: it is tried again.
    Waiting,
    /// It is processed.
    Processed,
    /// It contradicts the payment, what it names has stayed unknown or is no membership, or this version cannot read it.
    /// It can be replayed.
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
pub struct PaymentEventFilter {
    /// Events in one of these states.
    pub states: Option<Vec<PaymentEventState>>,
    /// Events about the payment of this order.
    pub order_id: Option<OrderId>,
}

/// The events in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PaymentEventWhich {
    /// The states; `None` for any.
    pub states: Option<Vec<PaymentEventState>>,
    /// The order; `None` for any.
    pub order: Option<OrderId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_of_payments_has_the_same_name_in_its_events() {
        for provider in [Provider::Sandbox, Provider::Stripe, Provider::Razorpay, Provider::Paypal] {
            let teller = PaymentEventProvider::from(provider);
            assert_eq!((teller.gateway(), teller.as_str()), (Some(provider), provider.as_str()));
        }
        assert_eq!(PaymentEventProvider::GooglePlay.gateway(), None);
    }
}
