//! Enters into the books what moves money, in the transaction in which it does.

use std::collections::HashMap;

use uuid::Uuid;

use super::hold::Held;
use crate::channels::ChannelId;
use crate::graphql::money::CurrencyCode;
use crate::memberships;
use crate::orders::model::{
    Movement, NewEntry, NewTransaction, OrderId, OrderItemId, Posting, Sold, negated, parts_of, return_postings,
    sale_postings,
};
use crate::orders::query::ledger as rows;
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// Enters that an order was paid. What costs nothing enters nothing.
///
/// A course's channel has its share of gifts of it and of memberships for it, too. Other memberships are for courses of
/// several channels, or for hours, so the school keeps their price.
pub(super) async fn enter_payment(tx: &mut Tx, app: &App, held: &Held) -> Result<(), InternalError> {
    let mut channels: HashMap<OrderItemId, ChannelId> = HashMap::new();
    for item in &held.items {
        let course = match item.membership_id {
            Some(membership) => memberships::target_course(tx, membership).await?,
            None => item.course_id,
        };
        let channel = course.and_then(|id| held.courses.get(&id)).and_then(|course| course.channel_id);
        channels.extend(channel.map(|channel| (item.id, channel)));
    }
    let all: Vec<ChannelId> = channels.values().copied().collect();
    let percents: HashMap<ChannelId, i16> = rows::percents(tx.conn(), &all).await?;
    let mut postings = Vec::new();
    for item in &held.items {
        let default = app.config.payments.channel_share;
        postings.extend(sale_postings(Sold {
            item: item.id,
            amount: item.amount_minor,
            tax: item.tax_minor,
            channel: channels.get(&item.id).map(|id| (*id, percents.get(id).copied().unwrap_or(default))),
        }));
    }
    enter_of(tx, app, held, (Movement::Payment, held.order.id.uuid()), &postings).await
}

/// Enters a refund of parts of items, before which their refunded amounts are as in `held`. Money that never paid for an
/// order enters nothing.
pub(super) async fn enter_refund(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    refund: Uuid,
    parts: &[(OrderItemId, i64)],
) -> Result<(), InternalError> {
    let postings = reversed(tx, held, parts).await?;
    enter_of(tx, app, held, (Movement::Refund, refund), &postings).await
}

/// Enters that a refund has failed, without which the refunded amounts are as in `held`: what it entered is taken back, as
/// far as rounding leaves it to this one of several refunds.
pub(super) async fn enter_refund_failed(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    refund: Uuid,
    parts: &[(OrderItemId, i64)],
) -> Result<(), InternalError> {
    let postings = negated(&reversed(tx, held, parts).await?);
    enter_of(tx, app, held, (Movement::RefundFailed, refund), &postings).await
}

/// Enters that a bank has taken back an amount, at most what is left of the order.
pub(super) async fn enter_dispute(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    (dispute, amount): (Uuid, i64),
) -> Result<(), InternalError> {
    let left: i64 = held.items.iter().map(|item| item.amount_minor - item.refunded_minor).sum();
    let postings = reversed(tx, held, &parts_of(amount.min(left), &held.items)).await?;
    enter_of(tx, app, held, (Movement::Dispute, dispute), &postings).await
}

/// Enters that a dispute was decided: what it has entered is taken back.
pub(super) async fn enter_dispute_closed(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    dispute: Uuid,
) -> Result<(), InternalError> {
    let postings = negated(&rows::entries_of(tx, Movement::Dispute, dispute).await?);
    enter_of(tx, app, held, (Movement::DisputeClosed, dispute), &postings).await
}

/// Returns what the return of parts of items enters, before which their refunded amounts are as in `held`.
async fn reversed(tx: &mut Tx, held: &Held, parts: &[(OrderItemId, i64)]) -> Result<Vec<Posting>, InternalError> {
    let paid = rows::entries_of(tx, Movement::Payment, held.order.id.uuid()).await?;
    let mut postings = Vec::new();
    for (id, part) in parts {
        let own: Vec<Posting> = paid.iter().filter(|posting| posting.item_id == Some(*id)).copied().collect();
        let before = held.items.iter().find(|item| item.id == *id).map(|item| item.refunded_minor);
        if !own.is_empty() {
            postings.extend(return_postings(*id, &own, before.unwrap_or_default(), *part));
        }
    }
    Ok(postings)
}

/// Enters a transaction of an order.
async fn enter_of(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    (kind, source): (Movement, Uuid),
    postings: &[Posting],
) -> Result<(), InternalError> {
    enter(tx, app, (kind, source, Some(held.order.id)), held.order.currency, postings).await
}

/// Enters a transaction, once; one without entries is left out.
pub(super) async fn enter(
    tx: &mut Tx,
    app: &App,
    (kind, source_id, order_id): (Movement, Uuid, Option<OrderId>),
    currency: CurrencyCode,
    postings: &[Posting],
) -> Result<(), InternalError> {
    if postings.is_empty() {
        return Ok(());
    }
    let (id, recorded_at) = (app.clock.uuid(), app.clock.now());
    let entry = |posting: &Posting| NewEntry {
        id: app.clock.uuid(),
        transaction_id: id,
        account: posting.account,
        channel_id: posting.channel_id,
        item_id: posting.item_id,
        amount_minor: posting.amount_minor,
        currency,
        recorded_at,
    };
    let entries: Vec<NewEntry> = postings.iter().map(entry).collect();
    rows::insert(tx, NewTransaction { id, kind, source_id, order_id, recorded_at }, &entries).await?;
    Ok(())
}
