//! What an event of a provider says, before it is put together.

use super::{GatewayEvent, GatewayFact};

/// What an event says of a payment.
pub(super) struct Told {
    /// The provider's id of the checkout; empty if it does not tell.
    pub(super) checkout: String,
    /// The provider's id of the money.
    pub(super) transaction: Option<String>,
    /// Our id of the payment; empty if the provider does not tell.
    pub(super) reference: String,
    /// The amount in minor units, and the currency (ISO 4217).
    pub(super) amount: (i64, String),
    /// What has happened.
    pub(super) fact: GatewayFact,
}

impl Told {
    /// What changes nothing here.
    pub(super) fn other(kind: String) -> Told {
        let fact = GatewayFact::Other { kind };
        Told { checkout: String::new(), transaction: None, reference: String::new(), amount: (0, String::new()), fact }
    }

    /// What happens to money that has arrived.
    pub(super) fn of_transaction(id: String, amount: (i64, String), fact: GatewayFact) -> Told {
        Told { checkout: String::new(), transaction: Some(id), reference: String::new(), amount, fact }
    }

    /// Returns the event with this id, of this account.
    pub(super) fn into_event(self, id: String, account: String) -> GatewayEvent {
        let Told { checkout, transaction, reference, amount: (amount_minor, currency), fact } = self;
        GatewayEvent { id, account, checkout, transaction, subscription: None, reference, amount_minor, currency, fact }
    }
}
