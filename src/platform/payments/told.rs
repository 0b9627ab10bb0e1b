//! What an event of a provider says, before it is put together.

use super::gateways::Gateway;
use super::razorpay::Razorpay;
use super::{GatewayEvent, GatewayFact, Payments, Provider, Unverified};

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
    /// The provider's id of the subscription.
    pub(super) subscription: Option<String>,
    /// What has happened.
    pub(super) fact: GatewayFact,
}

impl Told {
    /// What changes nothing here.
    pub(super) fn other(kind: String) -> Told {
        Told::new(None, (0, String::new()), GatewayFact::Other { kind })
    }

    /// What happens to money that has arrived.
    pub(super) fn of_transaction(id: String, amount: (i64, String), fact: GatewayFact) -> Told {
        Told::new(Some(id), amount, fact)
    }

    /// What a subscription has charged.
    pub(super) fn of_charge(subscription: String, transaction: Option<String>, amount: (i64, String)) -> Told {
        let subscription = Some(subscription);
        Told { subscription, ..Told::new(transaction, amount, GatewayFact::SubscriptionPaid) }
    }

    /// What happens to a subscription, without money.
    pub(super) fn of_subscription(id: String, fact: GatewayFact) -> Told {
        Told { subscription: Some(id), ..Told::new(None, (0, String::new()), fact) }
    }

    fn new(transaction: Option<String>, amount: (i64, String), fact: GatewayFact) -> Told {
        Told { checkout: String::new(), transaction, reference: String::new(), amount, subscription: None, fact }
    }

    /// Returns the event with this id, of this account.
    pub(super) fn into_event(self, id: String, account: String) -> GatewayEvent {
        let Told { checkout, transaction, reference, amount: (amount_minor, currency), subscription, fact } = self;
        GatewayEvent { id, account, checkout, transaction, reference, amount_minor, currency, subscription, fact }
    }
}

/// Reads the body of a webhook whose signature was right when it came.
///
/// # Errors
/// The provider is not set up anymore; it cannot be read.
pub fn read_webhook(payments: &Payments, provider: Provider, body: &[u8]) -> Result<GatewayEvent, Unverified> {
    match payments.of(provider).map_err(|_| Unverified::Off)? {
        Gateway::Sandbox(_) => serde_json::from_slice(body).map_err(|_| Unverified::Malformed),
        Gateway::Stripe(stripe) => stripe.read(body),
        Gateway::Razorpay(_) => Razorpay::read(body),
        Gateway::Paypal(paypal) => paypal.read(body),
    }
}
