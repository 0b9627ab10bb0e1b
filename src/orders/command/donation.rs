//! Donations that are repeated each month.
//!
//! Each is an order of its own, charged to what was paid with first where the provider can do that, and otherwise paid
//! on a page, of which the donor is reminded as of any order. What becomes of it is counted once, by a reaction to its
//! end.

use chrono::TimeDelta;
use futures_util::stream::{self, StreamExt};

use super::create::open_checkout;
use super::end::end;
use super::hold;
use super::insert::{Draft, Way, insert_order, insert_payment};
use super::tax::OrderTax;
use crate::accounts::{self, UserId};
use crate::graphql::Result;
use crate::orders::event::{DonationEnd, DonationEnded, OrderPlaced};
use crate::orders::model::{
    Amounts, CancelDonationInput, Donated, Donation, DonationId, NewDonationOrder, NewItem, Order, OrderId,
    OrderItemId, OrderItemKind, Payment, PaymentState, Step,
};
use crate::orders::query::{donation as rows, order as query, payment};
use crate::orders::{error, policy};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs;
use crate::platform::outbox;

/// When a donation is tried again that could not be ordered for a reason of this server's.
const AGAIN: TimeDelta = TimeDelta::hours(1);

/// Begins a donation with the order of its first month.
pub(super) async fn begin(
    tx: &mut Tx,
    app: &App,
    order: &Order,
    amount_minor: i64,
) -> std::result::Result<(), InternalError> {
    let new = Donation {
        id: DonationId::new(app.clock.uuid()),
        donor_id: order.buyer_id,
        country: order.country.clone(),
        amount_minor,
        currency: order.currency,
        provider: None,
        authorization_id: None,
        started_at: None,
        next_at: None,
        failures: 0,
        created_at: order.created_at,
        ended_at: None,
    };
    rows::insert(tx, &new).await?;
    rows::insert_order(tx, NewDonationOrder { order_id: order.id, donation_id: new.id, is_open: true }).await?;
    Ok(())
}

/// Counts what has become of an order of a donation, once; nothing if it is none.
///
/// # Errors
/// The database failed.
pub(crate) async fn settle_donation(app: &App, id: OrderId) -> std::result::Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            let Some(donation) = rows::settle(tx, id).await? else { return Ok(()) };
            let Some(mut row) = rows::lock(tx, donation).await? else { return Ok(()) };
            let Some(order) = query::by_id(tx.conn(), id).await? else { return Ok(()) };
            let made = payment::of_orders(tx.conn(), &[id]).await?.pop();
            let made = made.filter(|payment| payment.state == PaymentState::Paid);
            let paid = order.paid_at.map(|at| Donated {
                at,
                provider: made.as_ref().map(|payment| payment.provider),
                authorization_id: made.and_then(authorization),
            });
            let was_over = row.ended_at.is_some();
            row.follow(paid, app.clock.now(), app.config.time_zone);
            rows::update(tx, &row).await?;
            if !was_over && row.ended_at.is_some() {
                let why = if row.started_at.is_some() { DonationEnd::Unpaid } else { DonationEnd::NotBegun };
                record_end(tx, app, &row, why).await?;
            }
            Ok(())
        })
        .await
}

async fn record_end(
    tx: &mut Tx,
    app: &App,
    row: &Donation,
    why: DonationEnd,
) -> std::result::Result<(), InternalError> {
    let ended = DonationEnded { donation: row.id, donor: row.donor_id, why };
    outbox::record(tx, &app.clock, &ended).await?;
    Ok(())
}

/// Returns what can be charged again after a payment on a page.
fn authorization(paid: Payment) -> Option<String> {
    let is_first = paid.authorization_id.is_none() && paid.provider.charges_again();
    paid.external_id.filter(|_| is_first)
}

/// Orders each donation of a month that is due, once.
///
/// # Errors
/// The database failed.
pub(crate) async fn donate(app: &App) -> std::result::Result<(), InternalError> {
    while !app.stopping.is_cancelled() {
        let due = rows::due(&mut *app.db.read().await?, app.clock.now()).await?;
        if due.is_empty() {
            break;
        }
        jobs::do_all(stream::iter(due).then(|id| donate_one(app, id))).await?;
    }
    Ok(())
}

/// Orders a donation; one that cannot be is tried later, so that it does not keep the others from it.
async fn donate_one(app: &App, id: DonationId) -> std::result::Result<(), InternalError> {
    match app.db.transaction(async |tx| place(tx, app, id).await).await {
        Ok(Some((order, payment))) => open_checkout(app, order, Some(&payment)).await.map(drop),
        Ok(None) => Ok(()),
        Err(error) => {
            tracing::error!(error = error.into_message(), donation = %id.uuid(), "a donation could not be ordered");
            app.db
                .transaction(async |tx| {
                    let Some(mut row) = rows::lock(tx, id).await? else { return Ok(()) };
                    row.next_at = row.next_at.map(|_| app.clock.now() + AGAIN);
                    rows::update(tx, &row).await?;
                    Ok(())
                })
                .await
        }
    }
}

async fn place(tx: &mut Tx, app: &App, id: DonationId) -> Result<Option<(Order, Payment)>> {
    let Some(known) = rows::by_ids(tx.conn(), &[id]).await?.pop() else { return Ok(None) };
    let has_donor = accounts::lock_user(tx, known.donor_id).await?;
    let Some(mut row) = rows::lock(tx, id).await? else { return Ok(None) };
    let now = app.clock.now();
    if row.next_at.is_none_or(|at| at > now) {
        return Ok(None);
    }
    if !has_donor {
        row.end(now);
        rows::update(tx, &row).await?;
        return Ok(None);
    }
    // Another one, if the provider is not set up anymore.
    let provider = row.provider.filter(|provider| app.payments.account(*provider).is_some());
    let charged_to = row.authorization_id.clone().filter(|_| provider.is_some());
    let draft = Draft {
        buyer: row.donor_id,
        country: &row.country,
        currency: row.currency,
        sum: Amounts { total: row.amount_minor, ..Amounts::default() },
        tax: &OrderTax::none(),
        coupon: None,
        return_url: None,
        billed_to: None,
        has_checkout: charged_to.is_none(),
    };
    let order = insert_order(tx, app, &draft).await?;
    let item = NewItem {
        id: OrderItemId::new(app.clock.uuid()),
        order_id: order.id,
        buyer_id: row.donor_id,
        position: 0,
        kind: OrderItemKind::Donation,
        title: "Donation".to_owned(),
        course_id: None,
        amount_minor: row.amount_minor,
        is_live: true,
        discount_minor: 0,
        tax_minor: 0,
        membership_id: None,
        membership_period_id: None,
        extra_hours_id: None,
    };
    query::insert_items(tx, vec![item]).await?;
    outbox::record(tx, &app.clock, &OrderPlaced { order: order.id, buyer: row.donor_id }).await?;
    let provider = provider.or(app.payments.first());
    let way = charged_to.as_deref().map_or(Way::Page(None), Way::Charge);
    let payment = insert_payment(tx, app, &order, provider, way).await?;
    rows::insert_order(tx, NewDonationOrder { order_id: order.id, donation_id: id, is_open: true }).await?;
    row.next_at = None;
    rows::update(tx, &row).await?;
    Ok(Some((order, payment)))
}

/// Ends a donation. Its order that waits for its payment is canceled, unless there is something else in it, or the
/// money is on its way.
///
/// # Errors
/// There is no such donation of the actor, or it has ended.
pub async fn cancel_donation(app: &App, actor: &Actor, input: CancelDonationInput) -> Result<Donation> {
    app.db
        .transaction(async |tx| {
            let id = input.donation_id;
            // Orders are locked before their donation.
            for order in rows::open_orders(tx, id).await? {
                let held = hold::lock(tx, order).await?;
                let held = held.filter(|held| policy::can_see(actor, held.order.buyer_id) && held.items.len() == 1);
                let may_cancel =
                    |held: &hold::Held| held.order.status.after(Step::Cancel).is_some() && !held.order.is_processing();
                if let Some(held) = held.filter(may_cancel) {
                    end(tx, app, &held, Step::Cancel).await?;
                }
            }
            let row = rows::lock(tx, id).await?.filter(|row| policy::can_see(actor, row.donor_id));
            let mut row = row.ok_or_else(error::no_such_donation)?;
            if row.ended_at.is_some() {
                return Err(error::donation_ended());
            }
            row.end(app.clock.now());
            rows::update(tx, &row).await?;
            record_end(tx, app, &row, DonationEnd::Canceled).await?;
            Ok(row)
        })
        .await
}

/// Ends the donations of a deleted user.
pub(super) async fn forget_donor(app: &App, user: UserId) -> std::result::Result<(), InternalError> {
    let now = app.clock.now();
    app.db.transaction(async |tx| rows::end_of(tx, user, now).await.map(drop).map_err(InternalError::from)).await
}
