//! Refunds.

use std::collections::HashSet;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use super::end::end_access;
use super::hold::{self, Held};
use super::ledger;
use super::pay::{count_students, restore};
use crate::accounts::{UserId, viewer};
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::idempotency::{Turn, gone};
use crate::graphql::{Error, Result};
use crate::memberships;
use crate::orders::event::{OrderRefundDone, OrderRefundFailed, OrderRefunded};
use crate::orders::model::{
    Order, OrderItem, OrderItemId, OrderStatus, PaymentState, Refund, RefundId, RefundItem, RefundOrderInput,
    RefundState, Step, left_of, parts_of,
};
use crate::orders::query::{order as query, payment, refund as rows};
use crate::orders::{error, policy};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client};
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::{self, Postponed};
use crate::platform::outbox;
use crate::platform::payments::{self, GatewayError, NewRefund};

/// The job that tells the provider of a refund.
pub(crate) const REFUND: &str = "orders.refund";

const LONGEST_REASON: usize = 500;
/// The reason of a refund of money that came too late.
const TOO_LATE: &str = "The payment arrived when the order could not be fulfilled anymore.";
/// Why a refund has failed of which the provider tells no reason.
const BACK: &str = "The money came back to the provider.";
/// When a provider that did not answer is told again of a refund, at first and in the end.
const AGAIN: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3600));
/// How long after it was accepted the provider is asked what has become of a refund.
pub(super) const ASKED: TimeDelta = TimeDelta::days(1);
/// How long a provider may be away, or reject the key, without a refund failing.
const PATIENCE: TimeDelta = TimeDelta::days(7);

/// Refunds an order, or a part of it. Items of which nothing is left end their access. The provider is told by a job.
///
/// # Errors
/// The input is invalid; there is no such order or item, or not that much left; the actor is not an administrator.
pub async fn refund_order(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: RefundOrderInput,
) -> Result<(Order, Refund)> {
    if !policy::can_manage(actor) {
        return Err(error::only_administrators());
    }
    let admin = viewer(actor)?;
    let mut check = Check::new();
    let reason = check.required_text("reason", &input.reason, LONGEST_REASON);
    let amount = input.amount.map(|amount| amount.minor(&mut check, "amount"));
    check.finish()?;
    app.db
        .transaction(async |tx| {
            let claimed = match input.once.claim::<Refund>(tx, app, admin.uuid(), "refundOrder", &input).await? {
                Turn::Create(claimed) => claimed,
                Turn::Repeat(id) => {
                    let refund = rows::by_ids(tx.conn(), &[id]).await?.pop().ok_or_else(gone)?;
                    let order = query::by_id(tx.conn(), refund.order_id).await?.ok_or_else(gone)?;
                    return Ok((order, refund));
                }
            };
            let held = hold::lock(tx, input.order_id).await?.ok_or_else(error::no_such_order)?;
            if !has_money(tx, &held.order).await? {
                return Err(error::not_refundable());
            }
            let items = chosen(&held, input.item_ids.as_deref())?;
            let amount = amount_of(&held, &items, input.amount.map(|amount| amount.currency).zip(amount))?;
            let new = new_refund(app, &held.order, amount, &reason, Some(admin));
            let order = record(tx, app, &held, &new, &parts_of(amount, &items)).await?;
            claimed.keep(tx, new.id.uuid()).await?;
            let entry = Entry {
                action: Action::OrderRefunded,
                actor: actor.id(),
                subject: Some(order.buyer_id.uuid()),
                client,
                details: json!({ "orderId": order.id.encode(), "reason": reason }),
            };
            audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await?;
            Ok((order, new))
        })
        .await
}

/// Whether money of an order may be left: it is paid, or money came too late and could not be sent back.
async fn has_money(tx: &mut Tx, order: &Order) -> Result<bool> {
    if order.status.is_paid() {
        return Ok(true);
    }
    let paid = payment::of_orders(tx.conn(), &[order.id]).await?;
    Ok(order.status.is_unpaid_end() && paid.iter().any(|payment| payment.state == PaymentState::Paid))
}

/// Returns the items that are refunded.
fn chosen(held: &Held, ids: Option<&[OrderItemId]>) -> Result<Vec<OrderItem>> {
    let Some(ids) = ids else { return Ok(held.items.clone()) };
    let ids: HashSet<OrderItemId> = ids.iter().copied().collect();
    let items: Vec<OrderItem> = held.items.iter().filter(|item| ids.contains(&item.id)).cloned().collect();
    if items.len() == ids.len() && !items.is_empty() { Ok(items) } else { Err(error::no_such_item()) }
}

/// Returns the amount in minor units: all that is left of the items, or what was asked for.
fn amount_of(
    held: &Held,
    items: &[OrderItem],
    wanted: Option<(crate::graphql::money::CurrencyCode, i64)>,
) -> Result<i64> {
    let left = left_of(items);
    if left == 0 {
        return Err(error::not_refundable());
    }
    let own = held.order.currency;
    match wanted {
        None => Ok(left),
        Some((currency, _)) if currency != own => {
            let message = format!("The order was paid in {}.", own.code());
            Err(Error::invalid(UserErrorCode::NotAllowed, &["amount", "currency"], message))
        }
        Some((_, amount)) if (1..=left).contains(&amount) => Ok(amount),
        Some(_) => {
            let most = crate::graphql::money::Money::new(left, own);
            let message = format!("The amount is more than nothing, and at most what is left: {most}.");
            Err(Error::invalid(UserErrorCode::OutOfRange, &["amount"], message))
        }
    }
}

/// Returns a refund of which the provider is to be told.
fn new_refund(app: &App, order: &Order, amount_minor: i64, reason: &str, requested_by: Option<UserId>) -> Refund {
    Refund {
        id: RefundId::new(app.clock.uuid()),
        order_id: order.id,
        amount_minor,
        reason: reason.to_owned(),
        state: RefundState::Pending,
        requested_by,
        external_id: None,
        created_at: app.clock.now(),
        done_at: None,
        failure: None,
    }
}

/// Records a refund of a locked order, with its parts; returns the order as it is now.
async fn record(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    new: &Refund,
    parts: &[(OrderItemId, i64)],
) -> std::result::Result<Order, InternalError> {
    ledger::enter_refund(tx, app, held, new.id.uuid(), parts).await?;
    let parts: Vec<RefundItem> = parts
        .iter()
        .map(|(item_id, amount_minor)| RefundItem { refund_id: new.id, item_id: *item_id, amount_minor: *amount_minor })
        .collect();
    rows::insert(tx, new, &parts).await?;
    let mut more = Vec::new();
    for part in &parts {
        let item = query::add_item_refund(tx, part.item_id, part.amount_minor).await?;
        keep_paid(tx, &held.order, &item).await?;
        if item.refunded_minor == item.amount_minor && item.is_live {
            more.extend(end_access(tx, app, held, &item).await?);
        }
    }
    let order = &held.order;
    let step =
        if order.refunded_minor + new.amount_minor == order.total_minor { Step::RefundAll } else { Step::RefundPart };
    // Money that came too late goes back without the order ever being paid.
    let status = order.status.after(step).unwrap_or(order.status);
    let refunded = query::add_refund(tx, order.id, status, new.amount_minor, app.clock.now()).await?;
    if status == OrderStatus::Refunded {
        // Items that cost nothing have no part of the refund.
        for item in held.items.iter().filter(|item| item.amount_minor == 0 && item.is_live) {
            more.extend(end_access(tx, app, held, item).await?);
        }
    }
    let event = OrderRefunded { order: order.id, buyer: order.buyer_id, refund: new.id.uuid() };
    outbox::record(tx, &app.clock, &event).await?;
    if new.state == RefundState::Done {
        tell_done(tx, app, order, new.id).await?;
    } else {
        let key = format!("{REFUND}/{}", new.id.uuid());
        jobs::enqueue(tx, &app.clock, REFUND, &json!({ "refund": new.id }), &key).await?;
    }
    count_students(tx, more).await?;
    Ok(refunded)
}

/// Keeps what is left of the money for the period of a membership, if that is what an item has paid for.
async fn keep_paid(tx: &mut Tx, order: &Order, item: &OrderItem) -> std::result::Result<(), InternalError> {
    let Some(period) = item.membership_period_id.filter(|_| item.amount_minor > 0) else { return Ok(()) };
    let kept = i128::from(item.amount_minor - item.refunded_minor);
    let left = i128::from(item.net_minor(order)) * kept / i128::from(item.amount_minor);
    memberships::keep_paid(tx, period, i64::try_from(left)?).await
}

/// Sends back all the money of an order that has ended without it.
pub(super) async fn return_money(tx: &mut Tx, app: &App, held: &Held) -> std::result::Result<(), InternalError> {
    let left = left_of(&held.items);
    // Ended by the caller, or before.
    let now = hold::reread(tx, held).await?;
    let new = new_refund(app, &now.order, left, TOO_LATE, None);
    record(tx, app, &now, &new, &parts_of(left, &now.items)).await?;
    Ok(())
}

/// Sends back what is left of the money of an order that has ended without it, after a part was refunded at the provider.
pub(super) async fn return_rest(tx: &mut Tx, app: &App, held: &Held) -> std::result::Result<(), InternalError> {
    let now = hold::reread(tx, held).await?;
    let is_owed = now.order.status.is_unpaid_end() && left_of(&now.items) > 0;
    if is_owed && rows::pending_of(tx, now.order.id).await?.is_empty() {
        return_money(tx, app, &now).await?;
    }
    Ok(())
}

/// Takes back an item: its access ends, and what is left of its price goes back.
pub(super) async fn return_item(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    item: &OrderItem,
    reason: &str,
) -> std::result::Result<(), InternalError> {
    let left = left_of(std::slice::from_ref(item));
    if left == 0 {
        let fewer = end_access(tx, app, held, item).await?;
        return count_students(tx, fewer.into_iter().collect()).await;
    }
    let new = new_refund(app, &held.order, left, reason, None);
    record(tx, app, held, &new, &[(item.id, left)]).await.map(drop)
}

/// Records a refund that was made at the provider, or what a buyer's bank has taken back for good. Returns whether there
/// was that much left.
pub(super) async fn refunded_elsewhere(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    (external_id, reason): (&str, &str),
    amount: i64,
) -> std::result::Result<bool, InternalError> {
    if amount > left_of(&held.items) {
        return Ok(false);
    }
    if amount == 0 {
        return Ok(true);
    }
    let done = new_refund(app, &held.order, amount, reason, None);
    let (external_id, done_at) = (Some(external_id.to_owned()), Some(done.created_at));
    let done = Refund { state: RefundState::Done, external_id, done_at, ..done };
    record(tx, app, held, &done, &parts_of(amount, &held.items)).await?;
    Ok(true)
}

/// Tells the provider of a refund, unless it has done it.
///
/// # Errors
/// The provider did not answer, or refused; the database failed.
pub(crate) async fn send_refund(app: &App, id: RefundId) -> std::result::Result<(), InternalError> {
    let mut conn = app.db.read().await?;
    let Some(refund) = rows::by_ids(&mut conn, &[id]).await?.pop() else { return Ok(()) };
    let Some(paid) = payment::of_orders(&mut conn, &[refund.order_id]).await?.pop() else { return Ok(()) };
    drop(conn);
    let Some(checkout) = paid.external_id.filter(|_| refund.state == RefundState::Pending) else { return Ok(()) };
    let new = NewRefund {
        checkout: &checkout,
        transaction: paid.transaction_id.as_deref(),
        reference: &refund.id.uuid().to_string(),
        amount_minor: refund.amount_minor,
        currency: paid.currency.code(),
        requested_at: refund.created_at,
    };
    let age = app.clock.now() - refund.created_at;
    let external_id = match payments::refund(app, paid.provider, &new).await {
        Ok(external_id) => external_id,
        Err(error) if age < PATIENCE && !matches!(error, GatewayError::Refused(_)) => {
            tracing::warn!(%error, refund = %refund.id.uuid(), "the provider does not know of a refund yet");
            return Err(Postponed(wait_at(age)).into());
        }
        Err(error) => return fail(app, &refund, &error.to_string()).await,
    };
    app.db
        .transaction(async |tx| {
            let Some(order) = query::lock(tx, refund.order_id).await? else { return Ok(()) };
            done(tx, app, &order, id, &external_id).await.map(drop)
        })
        .await
}

/// Marks a refund of a locked order as done by the provider, once; returns whether the order has such a refund that has
/// not failed.
pub(super) async fn done(
    tx: &mut Tx,
    app: &App,
    order: &Order,
    id: RefundId,
    external_id: &str,
) -> std::result::Result<bool, InternalError> {
    let now = app.clock.now();
    if rows::set_done(tx, (order.id, id), external_id, (now, now + ASKED)).await? {
        tell_done(tx, app, order, id).await?;
        return Ok(true);
    }
    Ok(rows::has_not_failed(tx, order.id, id).await?)
}

async fn tell_done(tx: &mut Tx, app: &App, order: &Order, id: RefundId) -> std::result::Result<(), InternalError> {
    let event = OrderRefundDone { order: order.id, buyer: order.buyer_id, refund: id.uuid() };
    outbox::record(tx, &app.clock, &event).await?;
    Ok(())
}

/// How long the next attempt waits of what was to be told a provider so long ago.
pub(super) fn wait_at(age: TimeDelta) -> Duration {
    (age / 4).to_std().unwrap_or_default().clamp(AGAIN.0, AGAIN.1)
}

async fn fail(app: &App, refund: &Refund, why: &str) -> std::result::Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            let Some(held) = hold::lock(tx, refund.order_id).await? else { return Ok(()) };
            // The provider may have told meanwhile that it was done.
            match rows::by_ids(tx.conn(), &[refund.id]).await?.pop() {
                Some(row) if row.state == RefundState::Pending => undo_refund(tx, app, held, &row, (None, why)).await,
                _ => Ok(()),
            }
        })
        .await
}

/// Marks a refund of a locked order as failed whose money came back to the provider; returns whether there is such a
/// refund. The provider names it by our id or its own.
pub(super) async fn came_back(
    tx: &mut Tx,
    app: &App,
    held: Held,
    (own, external_id): (Option<&str>, &str),
) -> std::result::Result<bool, InternalError> {
    let own = own.and_then(|reference| reference.parse::<Uuid>().ok()).map(RefundId::new);
    let Some(refund) = rows::find(tx, held.order.id, own, external_id).await? else { return Ok(false) };
    undo_refund(tx, app, held, &refund, (Some(external_id), BACK)).await?;
    Ok(true)
}

/// Marks a refund of a locked order as failed, once: its money counts as paid again, and the access is restored.
async fn undo_refund(
    tx: &mut Tx,
    app: &App,
    held: Held,
    refund: &Refund,
    why: (Option<&str>, &str),
) -> std::result::Result<(), InternalError> {
    let Some(held) = fail_refund(tx, app, held, refund, why).await? else { return Ok(()) };
    if held.order.status.is_unpaid_end() {
        return Ok(());
    }
    let more = restore(tx, app, &held, None).await?;
    count_students(tx, more).await
}

/// Marks a refund of a locked order as failed: its money counts as paid again. Returns the order as it is now; `None` if
/// the refund was marked before.
pub(super) async fn fail_refund(
    tx: &mut Tx,
    app: &App,
    held: Held,
    refund: &Refund,
    (external_id, why): (Option<&str>, &str),
) -> std::result::Result<Option<Held>, InternalError> {
    let why: String = why.chars().take(LONGEST_REASON).collect();
    if !rows::set_failed(tx, refund.id, external_id, &why).await? {
        return Ok(None);
    }
    tracing::error!(order = held.order.number, refund = %refund.id.uuid(), why, "a refund has failed");
    let parts = rows::parts_of(tx.conn(), &[refund.id]).await?;
    for part in &parts {
        let item = query::add_item_refund(tx, part.item_id, -part.amount_minor).await?;
        keep_paid(tx, &held.order, &item).await?;
    }
    let order = &held.order;
    let status = order.status.without_refund(order.refunded_minor - refund.amount_minor);
    query::add_refund(tx, order.id, status, -refund.amount_minor, app.clock.now()).await?;
    let event = OrderRefundFailed { order: order.id, buyer: order.buyer_id, refund: refund.id.uuid() };
    outbox::record(tx, &app.clock, &event).await?;
    let held = hold::reread(tx, &held).await?;
    let parts: Vec<(OrderItemId, i64)> = parts.iter().map(|part| (part.item_id, part.amount_minor)).collect();
    ledger::enter_refund_failed(tx, app, &held, refund.id.uuid(), &parts).await?;
    Ok(Some(held))
}
