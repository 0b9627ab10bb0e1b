//! Subscriptions at the providers, as their clients start them and tell of them, against fakes of their APIs.

mod paypal;
mod random;
mod razorpay;
mod stripe;

use axum::http::HeaderMap;
use chrono::{DateTime, TimeDelta, Utc};
use lyceum::platform::payments::{
    self, Asked, Checkout, CheckoutState, GatewayError, GatewayEvent, GatewayPlan, Known, KnownSubscription,
    NewCheckout, NewRefund, NewSubscription, Provider, SubscriptionCharge, SubscriptionStatus, Unverified,
};

use crate::support::TestApp;

/// A school that sells memberships for three months at one provider: the first three for 9.90, then for 19.90 each.
struct School {
    app: TestApp,
    provider: Provider,
    currency: &'static str,
    /// The id of the price of the plan.
    price: String,
    /// The id of the payment of the first three months.
    payment: String,
    /// When these are over, in whole seconds.
    starts_at: DateTime<Utc>,
}

impl School {
    async fn open(provider: Provider, settings: &[(&str, &str)], currency: &'static str) -> School {
        let app = TestApp::with(settings).await;
        let (price, payment) = (uuid::Uuid::new_v4().to_string(), uuid::Uuid::new_v4().to_string());
        let school = School { app, provider, currency, price, payment, starts_at: DateTime::UNIX_EPOCH };
        School { starts_at: school.now() + TimeDelta::days(92), ..school }
    }

    /// Now, in whole seconds, as the providers count.
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.app.app.clock.now().timestamp(), 0).unwrap()
    }

    /// The first three months are over.
    fn pass(&self) -> DateTime<Utc> {
        self.app.app.clock.advance(self.starts_at - self.now() + TimeDelta::hours(1));
        self.now()
    }

    async fn plan(&self) -> Result<String, GatewayError> {
        let new = GatewayPlan {
            reference: self.price.clone(),
            title: "Everything".into(),
            amount_minor: 1990,
            currency: self.currency.into(),
            interval_months: 3,
        };
        payments::create_plan(&self.app.app, self.provider, &new).await
    }

    async fn retire(&self, external_id: Option<&str>) -> Result<(), GatewayError> {
        payments::retire_plan(&self.app.app, self.provider, &self.price, external_id).await
    }

    async fn start(&self, plan: &str) -> Result<Checkout, GatewayError> {
        let subscription =
            NewSubscription { plan: plan.into(), amount_minor: 1990, interval_months: 3, starts_at: self.starts_at };
        let new = NewCheckout {
            reference: self.payment.clone(),
            title: "1: Everything".into(),
            amount_minor: 990,
            currency: self.currency.into(),
            return_url: "http://localhost:3000/thanks".into(),
            subscription: Some(subscription),
        };
        payments::create_checkout(&self.app.app, self.provider, &new).await
    }

    /// What the provider knows of the first payment.
    async fn known(&self, checkout: Option<&str>) -> Option<Known> {
        let asked = Asked { provider: self.provider, reference: &self.payment, checkout, is_wanted: true };
        payments::fetch_state(&self.app.app, &asked).await.unwrap()
    }

    async fn state(&self, checkout: &str) -> CheckoutState {
        self.known(Some(checkout)).await.unwrap().state
    }

    async fn close(&self, checkout: &str) -> Result<(), GatewayError> {
        payments::close_checkout(&self.app.app, self.provider, checkout).await
    }

    async fn fetch(&self, id: &str) -> Result<Option<KnownSubscription>, GatewayError> {
        payments::fetch_subscription(&self.app.app, self.provider, id).await
    }

    /// What a subscription does, and the number of its charges.
    async fn sums(&self, id: &str) -> (SubscriptionStatus, usize) {
        let known = self.fetch(id).await.unwrap().unwrap();
        (known.state, known.charges.len())
    }

    async fn end(&self, id: &str) -> Result<(), GatewayError> {
        payments::end_subscription(&self.app.app, self.provider, id).await
    }

    async fn refund(&self, checkout: &str, transaction: &str, amount_minor: i64) -> Result<String, GatewayError> {
        let reference = uuid::Uuid::new_v4().to_string();
        let new = NewRefund {
            checkout,
            transaction: Some(transaction),
            reference: &reference,
            amount_minor,
            currency: self.currency,
            requested_at: self.now(),
        };
        payments::refund(&self.app.app, self.provider, &new).await
    }

    /// Reads a webhook that comes now.
    async fn read(&self, headers: &HeaderMap, body: &[u8]) -> Result<GatewayEvent, Unverified> {
        payments::verify_webhook(&self.app.app.payments, self.provider, headers, body, self.now()).await
    }

    /// The first payment, as it is known and told once it has arrived.
    fn first(&self, checkout: &str, transaction: &str, subscription: &str) -> Known {
        Known {
            checkout: checkout.into(),
            transaction: Some(transaction.into()),
            state: CheckoutState::Paid,
            amount_minor: 990,
            currency: self.currency.into(),
            subscription: Some(subscription.into()),
        }
    }

    /// The charge of three months.
    fn charge(&self, transaction: &str, charged_at: DateTime<Utc>) -> SubscriptionCharge {
        SubscriptionCharge {
            transaction: transaction.into(),
            amount_minor: 1990,
            currency: self.currency.into(),
            charged_at,
        }
    }
}

/// What an event says of a subscription, and that it says nothing that is personal.
fn told(event: &GatewayEvent) -> (&str, Option<&str>, Option<&str>, i64, &str) {
    let text = serde_json::to_string(event).unwrap();
    assert!(!text.contains("sam@example.org") && !text.contains("+91"), "{text}");
    assert_eq!(serde_json::from_str::<GatewayEvent>(&text).unwrap(), *event, "it is stored as it is");
    let (subscription, transaction) = (event.subscription.as_deref(), event.transaction.as_deref());
    (event.fact.kind(), subscription, transaction, event.amount_minor, event.currency.as_str())
}

fn headers<const N: usize>(values: [(&'static str, &str); N]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in values {
        headers.insert(name, value.parse().unwrap());
    }
    headers
}

fn is_refused<T>(outcome: &Result<T, GatewayError>) -> bool {
    matches!(outcome, Err(GatewayError::Refused(_)))
}

fn is_down<T>(outcome: &Result<T, GatewayError>) -> bool {
    matches!(outcome, Err(GatewayError::Failed(_)))
}
