//! Records at Stripe Tax which tax was collected, and which was given back.
//!
//! Lost disputes are refunds here, so their tax is given back, too. Each record is made by a job until Stripe has it,
//! with the order's or the refund's id as key.

use chrono::{DateTime, Utc};

use super::refund::wait_at;
use crate::orders::model::{
    Order, OrderId, OrderItemKind, Refund, RefundId, RefundItem, RefundState, TaxReversal, part_of,
};
use crate::orders::query::{order as query, refund as refunds, tax as rows};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Postponed;
use crate::platform::payments::GatewayError;
use crate::platform::payments::stripe::tax::{self, NewReversal, Part};

/// Records that the tax of a paid order was collected, once; nothing if Stripe has not calculated it.
///
/// # Errors
/// Stripe did not answer, or refused; the database failed.
pub(crate) async fn record_tax(app: &App, id: OrderId) -> Result<(), InternalError> {
    transaction_of(app, id).await.map(drop)
}

/// Records that a refund that is done has given tax back, or that it has not if it has failed since; each once.
///
/// # Errors
/// Stripe did not answer, or refused; the database failed.
pub(crate) async fn record_refunded_tax(app: &App, (id, refund): (OrderId, RefundId)) -> Result<(), InternalError> {
    // The order was paid before, which may not be recorded yet.
    let Some((order, transaction)) = transaction_of(app, id).await? else { return Ok(()) };
    loop {
        let mut conn = app.db.read().await?;
        let Some(refund) = refunds::by_ids(&mut conn, &[refund]).await?.pop() else { return Ok(()) };
        let known = rows::of_refund(&mut conn, refund.id).await?;
        drop(conn);
        match (refund.state, known) {
            (RefundState::Done, None) => {
                if !reverse(app, &order, &transaction, &refund).await? {
                    return Ok(());
                }
                // It may have failed meanwhile, when there was nothing to undo.
            }
            (RefundState::Failed, Some(TaxReversal { reversal_id, undone_id: None, .. })) => {
                return undo(app, &refund, &reversal_id).await;
            }
            _ => return Ok(()),
        }
    }
}

/// Returns a paid order whose tax Stripe has calculated, with Stripe's id of the record that it was collected, which is
/// made now if there is none. Money that came too late to pay for an order has no tax.
async fn transaction_of(app: &App, id: OrderId) -> Result<Option<(Order, String)>, InternalError> {
    let mut conn = app.db.read().await?;
    let Some(known) = rows::of_order(&mut conn, id).await? else { return Ok(None) };
    let Some(order) = query::by_id(&mut conn, id).await? else { return Ok(None) };
    drop(conn);
    let Some(paid_at) = order.paid_at else { return Ok(None) };
    if let Some(transaction) = known.transaction_id {
        return Ok(Some((order, transaction)));
    }
    let made = tax::record(app, &known.calculation_id, &id.encode()).await;
    let made = made.map_err(|error| again(app, error, paid_at))?;
    app.db.transaction(async |tx| rows::set_transaction(tx, id, &made).await.map_err(InternalError::from)).await?;
    Ok(Some((order, made)))
}

/// Records that a refund has given tax back; returns whether it has.
async fn reverse(app: &App, order: &Order, transaction: &str, refund: &Refund) -> Result<bool, InternalError> {
    let parts = parts(app, order, refund).await?;
    if parts.is_empty() {
        return Ok(false);
    }
    let reference = refund.id.encode();
    let new = NewReversal { transaction, reference: &reference, currency: order.currency.code(), parts: &parts };
    let made = tax::reverse(app, &new).await;
    let reversal_id = made.map_err(|error| again(app, error, refund.done_at.unwrap_or(refund.created_at)))?;
    let row = TaxReversal { refund_id: refund.id, reversal_id, undone_id: None };
    app.db.transaction(async |tx| rows::insert_reversal(tx, &row).await.map_err(InternalError::from)).await?;
    Ok(true)
}

/// Records that a refund which has failed has given no tax back.
async fn undo(app: &App, refund: &Refund, reversal: &str) -> Result<(), InternalError> {
    let made = tax::undo(app, reversal, &format!("{}-failed", refund.id.encode())).await;
    let undone = made.map_err(|error| again(app, error, refund.created_at))?;
    app.db.transaction(async |tx| rows::set_undone(tx, refund.id, &undone).await.map_err(InternalError::from)).await?;
    Ok(())
}

/// Returns what a refund gives back of each item that was taxed, after the refunds before it, in proportion as in the
/// books.
async fn parts(app: &App, order: &Order, refund: &Refund) -> Result<Vec<Part>, InternalError> {
    let mut conn = app.db.read().await?;
    let items = query::items_of(&mut conn, &[order.id]).await?;
    let all = refunds::of_orders(&mut conn, &[order.id]).await?;
    let earlier = all.iter().take_while(|other| other.id != refund.id);
    let earlier: Vec<RefundId> =
        earlier.filter(|other| other.state != RefundState::Failed).map(|other| other.id).collect();
    let own = refunds::parts_of(&mut conn, &[refund.id]).await?;
    let before = refunds::parts_of(&mut conn, &earlier).await?;
    drop(conn);
    let mut parts = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let sum = |parts: &[RefundItem]| -> i64 {
            parts.iter().filter(|part| part.item_id == item.id).map(|part| part.amount_minor).sum()
        };
        let (before, part) = (sum(&before), sum(&own));
        // Donations are not taxed.
        if part > 0 && item.kind != OrderItemKind::Donation {
            let tax_minor = part_of(item.tax_minor, item.amount_minor, before, part);
            let amount_minor = if order.tax_included { part } else { part - tax_minor };
            parts.push(Part { place, amount_minor, tax_minor });
        }
    }
    Ok(parts)
}

/// What a job does when Stripe has not recorded something that happened at `since`: what is refused is seen by
/// administrators after some attempts, and an outage uses up none.
fn again(app: &App, error: GatewayError, since: DateTime<Utc>) -> InternalError {
    if let GatewayError::Refused(_) = error {
        return error.into();
    }
    tracing::warn!(%error, "Stripe Tax does not know of a tax yet");
    Postponed(wait_at(app.clock.now() - since)).into()
}
