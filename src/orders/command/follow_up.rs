//! Asks the providers what has become of refunds and disputes, for what no webhook told.

use chrono::TimeDelta;
use futures_util::stream::{self, StreamExt};

use super::refund::{ASKED, came_back};
use super::{dispute, hold};
use crate::orders::model::{DisputeStatus, OpenDispute, OrderId, Refund};
use crate::orders::query::{payment, refund as rows};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs;
use crate::platform::payments::{self, DisputeDecision, GatewayError, Provider, RefundProgress};

/// How long a provider is asked about a refund that is on its way.
const PATIENCE: TimeDelta = TimeDelta::days(30);
/// How often a provider is asked about a dispute.
const AGAIN: TimeDelta = TimeDelta::days(1);

/// Asks about each refund and each dispute that is due.
///
/// # Errors
/// The database failed.
pub(super) async fn reconcile(app: &App) -> Result<(), InternalError> {
    let now = app.clock.now();
    let refunds = rows::to_check(&mut *app.db.read().await?, now).await?;
    let asked = jobs::do_all(stream::iter(refunds).then(|refund| ask_refund(app, refund))).await;
    let disputes = rows::disputes_to_check(&mut *app.db.read().await?, now).await?;
    asked.and(jobs::do_all(stream::iter(disputes).then(|dispute| ask_dispute(app, dispute))).await)
}

async fn ask_refund(app: &App, refund: Refund) -> Result<(), InternalError> {
    let id = refund.external_id.as_deref().unwrap_or_default();
    let known = match provider_of(app, refund.order_id).await? {
        Some(provider) => payments::fetch_refund(app, provider, id).await,
        None => Err(GatewayError::Off),
    };
    if let Err(error) = &known {
        tracing::warn!(%error, refund = %refund.id.uuid(), "it is not known yet what has become of a refund");
    }
    let now = app.clock.now();
    let again = Some(now + ASKED).filter(|_| now - refund.created_at < PATIENCE);
    app.db
        .transaction(async |tx| {
            let next = match &known {
                Ok(RefundProgress::Pending) | Err(_) => again,
                Ok(RefundProgress::Done) => None,
                Ok(RefundProgress::Failed) => {
                    if let Some(held) = hold::lock(tx, refund.order_id).await? {
                        came_back(tx, app, held, (None, id)).await?;
                    }
                    None
                }
            };
            rows::set_check(tx, refund.id, next).await?;
            Ok(())
        })
        .await
}

async fn ask_dispute(app: &App, open: OpenDispute) -> Result<(), InternalError> {
    let known = match provider_of(app, open.order_id).await? {
        // No dispute was told for so long: the money stays where it is.
        _ if open.is_unnamed() => Ok(DisputeDecision::Lost),
        Some(provider) => payments::fetch_dispute(app, provider, &open.external_id).await,
        None => Err(GatewayError::Off),
    };
    if let Err(error) = &known {
        tracing::warn!(%error, dispute = open.external_id, "it is not known yet how a dispute was decided");
    }
    let status = match known {
        Ok(DisputeDecision::Won) => Some(DisputeStatus::Won),
        Ok(DisputeDecision::Lost) => Some(DisputeStatus::Lost),
        Ok(DisputeDecision::Open) | Err(_) => None,
    };
    app.db
        .transaction(async |tx| {
            if let Some(status) = status
                && let Some(held) = hold::lock(tx, open.order_id).await?
                // A reversal may have got the name of its dispute meanwhile: then that decides.
                && rows::is_open_dispute(tx, (open.id, &open.external_id)).await?
            {
                dispute::close(tx, app, &held, (&open.external_id, open.amount_minor), status).await?;
            }
            rows::set_dispute_check(tx, open.id, app.clock.now() + AGAIN).await?;
            Ok(())
        })
        .await
}

/// Returns the provider of the payment of an order.
async fn provider_of(app: &App, order: OrderId) -> Result<Option<Provider>, InternalError> {
    let found = payment::of_orders(&mut *app.db.read().await?, &[order]).await?.pop();
    Ok(found.map(|payment| payment.provider))
}
