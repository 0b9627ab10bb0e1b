//! What has become of refunds and disputes, for webhooks that are lost.

use super::gateways::Gateway;
use super::{GatewayError, Provider, timed};
use crate::platform::App;

/// What a provider knows of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundProgress {
    /// The money is on its way to the customer.
    Pending,
    /// The customer has the money.
    Done,
    /// The money did not reach the customer, and is back.
    Failed,
}

/// How a dispute was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisputeDecision {
    /// It is not.
    Open,
    /// The money is back, or was never taken.
    Won,
    /// The money is gone.
    Lost,
}

/// Asks what has become of a refund, by the provider's id.
///
/// # Errors
/// See [`GatewayError`].
pub async fn fetch_refund(app: &App, provider: Provider, id: &str) -> Result<RefundProgress, GatewayError> {
    timed(async {
        match app.payments.of(provider)? {
            Gateway::Sandbox(sandbox) => sandbox.fetch_refund(),
            Gateway::Stripe(stripe) => stripe.fetch_refund(app, id).await,
            Gateway::Razorpay(razorpay) => razorpay.fetch_refund(app, id).await,
            Gateway::Paypal(paypal) => paypal.fetch_refund(app, id).await,
        }
    })
    .await
}

/// Asks how a dispute was decided, by the provider's id.
///
/// # Errors
/// See [`GatewayError`].
pub async fn fetch_dispute(app: &App, provider: Provider, id: &str) -> Result<DisputeDecision, GatewayError> {
    timed(async {
        match app.payments.of(provider)? {
            Gateway::Sandbox(sandbox) => sandbox.fetch_dispute(app, id).await,
            Gateway::Stripe(stripe) => stripe.fetch_dispute(app, id).await,
            Gateway::Razorpay(razorpay) => razorpay.fetch_dispute(app, id).await,
            Gateway::Paypal(paypal) => paypal.fetch_dispute(app, id).await,
        }
    })
    .await
}
