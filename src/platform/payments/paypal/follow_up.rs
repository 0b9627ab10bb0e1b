//! What PayPal knows of refunds and disputes when it is asked.
//!
//! Source: <https://developer.paypal.com/docs/api/payments/v2/#refunds_get>,
//! <https://developer.paypal.com/docs/api/payments/v1/#refund_get>,
//! <https://developer.paypal.com/docs/api/customer-disputes/v1/#disputes_get>.

use serde::Deserialize;

use super::{BUYER_WINS, Dispute, PayPal, is_unknown};
use crate::platform::App;
use crate::platform::payments::{DisputeDecision, GatewayError, RefundProgress};

/// A refund, in the forms of both versions of the API.
#[derive(Deserialize)]
struct Refund {
    #[serde(alias = "state")]
    status: String,
}

impl PayPal {
    pub(in crate::payments) async fn fetch_refund(&self, app: &App, id: &str) -> Result<RefundProgress, GatewayError> {
        let refund: Refund = match self.get(app, &format!("v2/payments/refunds/{id}")).await {
            // What a subscription has charged is no capture, so this is one of a sale.
            Err(GatewayError::Refused(why)) if is_unknown(&why) => {
                self.get(app, &format!("v1/payments/refund/{id}")).await?
            }
            refund => refund?,
        };
        Ok(match refund.status.to_uppercase().as_str() {
            "COMPLETED" => RefundProgress::Done,
            "FAILED" | "CANCELLED" => RefundProgress::Failed,
            _ => RefundProgress::Pending,
        })
    }

    pub(in crate::payments) async fn fetch_dispute(
        &self,
        app: &App,
        id: &str,
    ) -> Result<DisputeDecision, GatewayError> {
        let dispute: Dispute = self.get(app, &format!("v1/customer/disputes/{id}")).await?;
        let outcome = dispute.dispute_outcome.map(|outcome| outcome.outcome_code);
        Ok(match outcome.as_deref() {
            Some(code) if BUYER_WINS.contains(&code) => DisputeDecision::Lost,
            Some(_) => DisputeDecision::Won,
            None => DisputeDecision::Open,
        })
    }
}
