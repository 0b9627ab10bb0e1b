//! What Razorpay knows of refunds and disputes when it is asked.

use serde::Deserialize;

use super::{Razorpay, Refund};
use crate::platform::App;
use crate::platform::payments::{DisputeDecision, GatewayError, RefundProgress};

/// A dispute: <https://razorpay.com/docs/api/disputes/>.
#[derive(Deserialize)]
struct Dispute {
    status: String,
}

impl Razorpay {
    pub(in crate::payments) async fn fetch_refund(&self, app: &App, id: &str) -> Result<RefundProgress, GatewayError> {
        let refund: Refund = self.get(app, &format!("refunds/{id}")).await?;
        Ok(match refund.status.as_deref() {
            Some("processed") => RefundProgress::Done,
            Some("failed") => RefundProgress::Failed,
            _ => RefundProgress::Pending,
        })
    }

    pub(in crate::payments) async fn fetch_dispute(
        &self,
        app: &App,
        id: &str,
    ) -> Result<DisputeDecision, GatewayError> {
        let dispute: Dispute = self.get(app, &format!("disputes/{id}")).await?;
        Ok(match dispute.status.as_str() {
            // Closed without a loss, as its event is.
            "won" | "closed" => DisputeDecision::Won,
            "lost" => DisputeDecision::Lost,
            _ => DisputeDecision::Open,
        })
    }
}
