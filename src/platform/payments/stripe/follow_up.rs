//! What Stripe knows of refunds and disputes when it is asked.

use super::{Dispute, Refund, Stripe};
use crate::platform::App;
use crate::platform::payments::{DisputeDecision, GatewayError, RefundProgress};

impl Stripe {
    pub(in crate::payments) async fn fetch_refund(&self, app: &App, id: &str) -> Result<RefundProgress, GatewayError> {
        let refund: Refund = self.get(app, &format!("refunds/{id}")).await?;
        Ok(match refund.status.as_deref() {
            Some("succeeded") => RefundProgress::Done,
            Some("failed" | "canceled") => RefundProgress::Failed,
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
            "won" | "warning_closed" => DisputeDecision::Won,
            "lost" => DisputeDecision::Lost,
            _ => DisputeDecision::Open,
        })
    }
}
