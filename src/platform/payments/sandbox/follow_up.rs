//! What the sandbox knows of refunds and disputes when it is asked.

use super::{Sandbox, checkout};
use crate::platform::App;
use crate::platform::payments::{DisputeDecision, GatewayError, RefundProgress};

impl Sandbox {
    /// All refunds are done at once.
    pub(in crate::payments) fn fetch_refund(&self) -> Result<RefundProgress, GatewayError> {
        self.reach()?;
        self.answer(RefundProgress::Done)
    }

    pub(in crate::payments) async fn fetch_dispute(
        &self,
        app: &App,
        id: &str,
    ) -> Result<DisputeDecision, GatewayError> {
        self.reach()?;
        let unknown = || GatewayError::Refused("there is no such dispute".into());
        let of = id.strip_prefix("dispute_").and_then(|id| id.parse().ok()).ok_or_else(unknown)?;
        let known = checkout(app, of).await?.and_then(|checkout| checkout.dispute).ok_or_else(unknown)?;
        self.answer(match known.as_str() {
            "WON" => DisputeDecision::Won,
            "LOST" => DisputeDecision::Lost,
            _ => DisputeDecision::Open,
        })
    }
}
