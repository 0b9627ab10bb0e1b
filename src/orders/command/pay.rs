//! What follows when money arrives, or does not.

use futures_util::stream::{self, StreamExt};
use uuid::Uuid;

use super::end::end;
use super::hold::{self, Held};
use super::refund::return_money;
use super::{coupon, gift, ledger};
use crate::accounts::UserId;
use crate::catalog::{self, CourseId};
use crate::entitlements::{self, NewEntitlement, Source, Target};
use crate::memberships::{self, Authorization, NextCharge, PeriodId, Received, StartedSubscription};
use crate::orders::event::{OrderPaid, OrderProcessing};
use crate::orders::model::{
    DisputeStatus, Order, OrderId, OrderItem, OrderItemKind, OrderStatus, Payment, PaymentState, Step,
};
use crate::orders::policy;
use crate::orders::query::{donation, order as query, payment as rows, refund};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs;
use crate::platform::outbox;
use crate::platform::payments::{CheckoutState, Known};

/// What a provider calls money that has arrived.
#[derive(Clone, Copy)]
pub(super) struct Arrived<'a> {
    /// The checkout; empty if only the money is named.
    pub(super) checkout: &'a str,
    pub(super) transaction: Option<&'a str>,
    /// The subscription that the checkout has started.
    pub(super) subscription: Option<&'a str>,
}

/// Does what follows from what the provider knows of a payment; nothing if that is still open.
///
/// # Errors
/// The amount is another one; the database failed.
pub(super) async fn decided(app: &App, payment: &Payment, known: &Known) -> Result<(), InternalError> {
    let own = (payment.amount_minor, payment.currency.code());
    let has_amount = matches!(known.state, CheckoutState::Paid | CheckoutState::Failed);
    if has_amount && (known.amount_minor, known.currency.as_str()) != own {
        return Err(InternalError::new("the amount at the provider is not that of the order"));
    }
    match known.state {
        CheckoutState::Paid => {
            let arrived = Arrived {
                checkout: &known.checkout,
                transaction: known.transaction.as_deref(),
                subscription: known.subscription.as_deref(),
            };
            paid(app, payment.id, arrived).await
        }
        CheckoutState::Failed => failed(app, payment.id, Step::Fail, known.subscription.as_deref()).await,
        CheckoutState::Expired => failed(app, payment.id, Step::Expire, known.subscription.as_deref()).await,
        CheckoutState::Processing => processing(app, payment).await,
        CheckoutState::Open => Ok(()),
    }
}

/// Records that a payment has arrived, once: the order is paid and gives access. If it cannot be fulfilled anymore, the
/// money goes back.
///
/// # Errors
/// The database failed.
pub(super) async fn paid(app: &App, payment: Uuid, arrived: Arrived<'_>) -> Result<(), InternalError> {
    let Some(known) = rows::by_id(&mut *app.db.read().await?, payment).await? else { return Ok(()) };
    app.db
        .transaction(async |tx| {
            let Some(held) = hold::lock(tx, known.order_id).await? else { return Ok(()) };
            let Some(row) = rows::lock(tx, payment).await? else { return Ok(()) };
            let mut started = started(&row, arrived.subscription);
            if row.state == PaymentState::Paid {
                // Known by now, unless it is told later than the money.
                return refuse(tx, app, &held, started).await;
            }
            // Some providers name the money alone.
            let checkout = Some(arrived.checkout).filter(|id| !id.is_empty()).or(row.external_id.as_deref());
            rows::set_paid(tx, payment, (checkout, arrived.transaction), app.clock.now()).await?;
            if held.is_complete() && may_follow(tx, app, &held).await? {
                if held.order.status != OrderStatus::Pending {
                    // It may have been ended with the order. The next period is paid on a page.
                    refuse(tx, app, &held, started.take()).await?;
                }
                if let OrderStatus::Expired | OrderStatus::Failed = held.order.status {
                    donation::reopen(tx, held.order.id).await?;
                }
                let is_first = row.authorization_id.is_none() && row.provider.charges_again();
                let authorization = checkout.map(|id| Authorization { provider: row.provider, id: id.to_owned() });
                let next = match (started, authorization.filter(|_| is_first)) {
                    (Some(started), _) => NextCharge::Subscription(started),
                    (None, Some(authorization)) => NextCharge::Authorization(authorization),
                    (None, None) => NextCharge::Stored,
                };
                fulfil(tx, app, &held, &next).await?;
            } else {
                refuse(tx, app, &held, started).await?;
                if held.order.status.after(Step::Cancel).is_some() {
                    end(tx, app, &held, Step::Cancel).await?;
                }
                return_money(tx, app, &held).await?;
            }
            Ok(())
        })
        .await
}

/// Returns the subscription that the checkout of a payment has started.
fn started(row: &Payment, subscription: Option<&str>) -> Option<StartedSubscription> {
    let (id, starts_at) = subscription.zip(row.subscription_starts_at)?;
    Some(StartedSubscription { provider: row.provider, id: id.to_owned(), starts_at })
}

/// Has a subscription ended that the checkout of an order has started, which cannot use it. Does nothing if it is known.
async fn refuse(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    started: Option<StartedSubscription>,
) -> Result<(), InternalError> {
    let Some(started) = started else { return Ok(()) };
    let Some(membership) = held.items.iter().find_map(|item| item.membership_id) else { return Ok(()) };
    memberships::refuse_subscription(tx, app, membership, started).await
}

/// Keeps the order of a payment pending until the provider says that it is paid or has failed, because the money is on
/// its way. Doing it again does nothing.
async fn processing(app: &App, payment: &Payment) -> Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            let Some(held) = hold::lock(tx, payment.order_id).await? else { return Ok(()) };
            let Some(row) = rows::lock(tx, payment.id).await? else { return Ok(()) };
            let order = &held.order;
            if !row.state.is_open() || order.status != OrderStatus::Pending || order.is_processing() {
                return Ok(());
            }
            query::set_processing(tx, order.id, app.clock.now()).await?;
            let mut more = Vec::new();
            for period in held.items.iter().filter_map(|item| item.membership_period_id) {
                more.extend(memberships::keep_access(tx, app, period, row.given_up_at()).await?);
            }
            outbox::record(tx, &app.clock, &OrderProcessing { order: order.id, buyer: order.buyer_id }).await?;
            count_students(tx, more).await
        })
        .await
}

/// Records that no money will come, unless it has arrived. `step` is what that means for an order that waits for it. A
/// `subscription` that the checkout has started is ended.
///
/// # Errors
/// The database failed.
pub(super) async fn failed(
    app: &App,
    payment: Uuid,
    step: Step,
    subscription: Option<&str>,
) -> Result<(), InternalError> {
    let Some(known) = rows::by_id(&mut *app.db.read().await?, payment).await? else { return Ok(()) };
    app.db
        .transaction(async |tx| {
            let Some(held) = hold::lock(tx, known.order_id).await? else { return Ok(()) };
            let Some(row) = rows::lock(tx, payment).await? else { return Ok(()) };
            if matches!(row.state, PaymentState::Paid | PaymentState::Failed) {
                return Ok(());
            }
            rows::set_ended(tx, payment, PaymentState::Failed, app.clock.now()).await?;
            refuse(tx, app, &held, started(&row, subscription)).await?;
            if held.order.status.after(step).is_some() {
                end(tx, app, &held, step).await?;
            }
            Ok(())
        })
        .await
}

/// Whether an order may be paid now. One that has ended may not if its buyer has got something of it in another way.
async fn may_follow(tx: &mut Tx, app: &App, held: &Held) -> Result<bool, InternalError> {
    if held.order.status.after(Step::Pay).is_none() {
        return Ok(false);
    }
    for period in held.items.iter().filter_map(|item| item.membership_period_id) {
        if !memberships::may_be_paid(tx, period).await? {
            return Ok(false);
        }
    }
    for extra in held.items.iter().filter_map(|item| item.extra_hours_id) {
        if !memberships::hours_may_be_paid(tx, app, extra).await? {
            return Ok(false);
        }
    }
    if held.items.iter().all(|item| item.is_live) {
        return Ok(true);
    }
    if let Some(id) = held.order.coupon_id.filter(|_| held.order.status != OrderStatus::Pending)
        && !coupon::may_use_again(tx, id, held.order.buyer_id).await?
    {
        return Ok(false);
    }
    let courses = held.own_courses();
    if !query::live_of(tx, held.order.buyer_id, &courses).await?.is_empty() {
        return Ok(false);
    }
    for course in courses {
        if is_owned(tx, app, held.order.buyer_id, course).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a user has a course for good. The user must be locked.
pub(super) async fn is_owned(tx: &mut Tx, app: &App, user: UserId, course: CourseId) -> Result<bool, InternalError> {
    let ledger = entitlements::ledger(tx, user, course.uuid()).await?;
    Ok(policy::owns(&ledger, course.uuid(), app.clock.now()))
}

/// Makes an order paid, and gives its buyer access to all that is in it. The next periods of memberships are charged to
/// `next`.
pub(super) async fn fulfil(tx: &mut Tx, app: &App, held: &Held, next: &NextCharge) -> Result<Order, InternalError> {
    let (now, order) = (app.clock.now(), &held.order);
    let status = order.status.after(Step::Pay).ok_or_else(|| InternalError::new("an order cannot be paid"))?;
    let paid = query::set_status(tx, order.id, status, Some(now), now).await?;
    query::set_live(tx, order.id, true).await?;
    ledger::enter_payment(tx, app, held).await?;
    let mut more = Vec::new();
    for item in &held.items {
        more.extend(match item.membership_period_id {
            Some(period) => begin(tx, app, (order, item), period, next.clone()).await?,
            None => give(tx, app, held, item).await?,
        });
    }
    outbox::record(tx, &app.clock, &OrderPaid { order: order.id, buyer: order.buyer_id }).await?;
    count_students(tx, more).await?;
    Ok(paid)
}

/// Begins the period of a membership that an item has paid for; returns by how much that changes the number of a course's
/// students.
async fn begin(
    tx: &mut Tx,
    app: &App,
    (order, item): (&Order, &OrderItem),
    period: PeriodId,
    next: NextCharge,
) -> Result<Option<(CourseId, i32)>, InternalError> {
    let received = Received { net_minor: item.net_minor(order), next };
    let outcome = memberships::paid(tx, app, period, received).await?;
    if let Some(entitlement) = outcome.entitlement {
        query::set_entitlement(tx, item.id, entitlement).await?;
    }
    Ok(outcome.students)
}

/// Gives what an item is; returns by how much that changes the number of the course's students. A gift that is not
/// claimed is offered to its recipient.
pub(super) async fn give(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    item: &OrderItem,
) -> Result<Option<(CourseId, i32)>, InternalError> {
    if let Some(extra) = item.extra_hours_id {
        memberships::hours_paid(tx, app, extra).await?;
        return Ok(None);
    }
    let Some(course) = item.course_id else { return Ok(None) };
    let Some(user_id) = held.owner_of(item) else {
        if let Some(gift) = held.gift_of(item) {
            gift::offer(tx, app, gift).await?;
        }
        return Ok(None);
    };
    let new = NewEntitlement {
        user_id,
        target: Target::Course(course.uuid()),
        source: if item.kind == OrderItemKind::Gift { Source::Gift } else { Source::Purchase },
        expires_at: None,
        note: String::new(),
        granted_by: None,
    };
    let given = entitlements::give(tx, app, new).await?;
    query::set_entitlement(tx, item.id, given.row.id).await?;
    Ok(Some((course, i32::from(given.first))))
}

/// Gives access again to what was paid for, or only to a course, as far as it is neither refunded nor disputed, unless its
/// owner has it in another way; returns by how much that changes the numbers of students.
pub(super) async fn restore(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    only: Option<CourseId>,
) -> Result<Vec<(CourseId, i32)>, InternalError> {
    let disputes = refund::disputes_of(tx.conn(), &[held.order.id]).await?;
    let is_disputed = disputes.iter().any(|dispute| dispute.status == DisputeStatus::Open);
    let mut more = Vec::new();
    for item in held.items.iter().filter(|item| !item.is_live && !is_disputed) {
        let is_refunded = item.refunded_minor == item.amount_minor && item.amount_minor > 0;
        let is_other = only.is_some() && item.course_id != only;
        if is_refunded || is_other || !held.exists(item) {
            continue;
        }
        end_pending(tx, app, held, item).await?;
        if has_another(tx, app, held, item).await? {
            continue;
        }
        if let Some(period) = item.membership_period_id {
            if let Some(restored) = memberships::restore(tx, app, period).await? {
                query::set_item_live(tx, item.id, true).await?;
                more.extend(restored.students);
            }
            continue;
        }
        query::set_item_live(tx, item.id, true).await?;
        more.extend(give(tx, app, held, item).await?);
    }
    Ok(more)
}

/// Gives a user a course that they have paid for, or got as a gift, and that they had in another way, too, until that
/// ended: for example when they bought it again during a dispute that was won.
///
/// # Errors
/// The database failed.
pub(crate) async fn restore_paid(app: &App, owner: UserId, course: CourseId) -> Result<(), InternalError> {
    let orders = query::paid_without_access(&mut *app.db.read().await?, owner, course).await?;
    jobs::do_all(stream::iter(orders).then(|order| restore_course(app, order, course))).await
}

async fn restore_course(app: &App, order: OrderId, course: CourseId) -> Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            let held = hold::lock(tx, order).await?;
            let Some(held) = held.filter(|held| held.order.status.is_paid()) else { return Ok(()) };
            let more = restore(tx, app, &held, Some(course)).await?;
            count_students(tx, more).await
        })
        .await
}

/// Cancels the order with which the owner of an item is about to buy again what they get back.
async fn end_pending(tx: &mut Tx, app: &App, held: &Held, item: &OrderItem) -> Result<(), InternalError> {
    let (Some(owner), Some(course)) = (held.owner_of(item), item.course_id) else { return Ok(()) };
    for (_, other) in query::live_of(tx, owner, &[course]).await? {
        if other.status == OrderStatus::Pending
            && let Some(other) = hold::lock(tx, other.id).await?
        {
            end(tx, app, &other, Step::Cancel).await?;
        }
    }
    Ok(())
}

/// Whether the owner of an item has got the course in another way meanwhile, or has no account anymore.
async fn has_another(tx: &mut Tx, app: &App, held: &Held, item: &OrderItem) -> Result<bool, InternalError> {
    let Some(owner) = held.owner_of(item) else { return Ok(false) };
    let Some(course) = item.course_id else { return Ok(!held.people.contains(&owner)) };
    Ok(!held.people.contains(&owner)
        || !query::live_of(tx, owner, &[course]).await?.is_empty()
        || is_owned(tx, app, owner, course).await?)
}

/// Changes the numbers of students, last in the transaction and in the order of the courses' ids.
pub(super) async fn count_students(tx: &mut Tx, mut more: Vec<(CourseId, i32)>) -> Result<(), InternalError> {
    more.sort_unstable_by_key(|(course, _)| course.uuid());
    for (course, more) in more {
        catalog::students_changed(tx, course, more).await?;
    }
    Ok(())
}
