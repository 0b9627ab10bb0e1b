//! What follows when money arrives, or does not.

use uuid::Uuid;

use super::coupon;
use super::end::end;
use super::hold::{self, Held};
use super::refund::return_money;
use crate::accounts::UserId;
use crate::catalog::{self, CourseId};
use crate::entitlements::{self, NewEntitlement, Source, Target};
use crate::memberships::{self, Authorization, PeriodId, Received};
use crate::orders::event::OrderPaid;
use crate::orders::model::{Order, OrderItem, OrderStatus, PaymentState, Step};
use crate::orders::policy;
use crate::orders::query::{order as query, payment as rows};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

/// The reason of a refund of money that came too late.
const TOO_LATE: &str = "The payment arrived when the order could not be fulfilled anymore.";

/// Records that a payment has arrived, once: the order is paid and gives access. If it cannot be fulfilled anymore, the
/// money goes back.
///
/// # Errors
/// The database failed.
pub(super) async fn paid(app: &App, payment: Uuid, checkout: &str) -> Result<(), InternalError> {
    let Some(known) = rows::by_id(&mut *app.db.read().await?, payment).await? else { return Ok(()) };
    app.db
        .transaction(async |tx| {
            let Some(held) = hold::lock(tx, known.order_id).await? else { return Ok(()) };
            let Some(row) = rows::lock(tx, payment).await? else { return Ok(()) };
            if row.state == PaymentState::Paid {
                return Ok(());
            }
            rows::set_ended(tx, payment, PaymentState::Paid, Some(checkout), app.clock.now()).await?;
            if held.is_complete() && may_follow(tx, app, &held).await? {
                let charged = row.authorization_id.is_some();
                let authorization = Authorization { provider: row.provider, id: checkout.to_owned() };
                fulfil(tx, app, &held, Some(authorization).filter(|_| !charged)).await?;
            } else {
                if held.order.status.after(Step::Cancel).is_some() {
                    end(tx, app, &held, Step::Cancel).await?;
                }
                return_money(tx, app, &held, TOO_LATE).await?;
            }
            Ok(())
        })
        .await
}

/// Records that a payment has failed for good, unless the money has arrived.
///
/// # Errors
/// The database failed.
pub(super) async fn failed(app: &App, payment: Uuid) -> Result<(), InternalError> {
    let Some(known) = rows::by_id(&mut *app.db.read().await?, payment).await? else { return Ok(()) };
    app.db
        .transaction(async |tx| {
            let Some(held) = hold::lock(tx, known.order_id).await? else { return Ok(()) };
            let Some(row) = rows::lock(tx, payment).await? else { return Ok(()) };
            if matches!(row.state, PaymentState::Paid | PaymentState::Failed) {
                return Ok(());
            }
            let checkout = row.external_id.as_deref();
            rows::set_ended(tx, payment, PaymentState::Failed, checkout, app.clock.now()).await?;
            if held.order.status.after(Step::Fail).is_some() {
                end(tx, app, &held, Step::Fail).await?;
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
    if held.items.iter().all(|item| item.is_live) {
        return Ok(true);
    }
    if let Some(id) = held.order.coupon_id.filter(|_| held.order.status != OrderStatus::Pending)
        && !coupon::may_use_again(tx, id, held.order.buyer_id).await?
    {
        return Ok(false);
    }
    let courses: Vec<CourseId> = held.items.iter().filter_map(|item| item.course_id).collect();
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

/// Makes an order paid, and gives its buyer access to all that is in it. Memberships are renewed by `authorization`, if
/// it is new.
pub(super) async fn fulfil(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    authorization: Option<Authorization>,
) -> Result<Order, InternalError> {
    let (now, order) = (app.clock.now(), &held.order);
    let status = order.status.after(Step::Pay).ok_or_else(|| InternalError::new("an order cannot be paid"))?;
    let paid = query::set_status(tx, order.id, status, Some(now), now).await?;
    query::set_live(tx, order.id, true).await?;
    let mut more = Vec::new();
    for item in &held.items {
        more.extend(match item.membership_period_id {
            Some(period) => begin(tx, app, (order, item), period, authorization.clone()).await?,
            None => give(tx, app, order.buyer_id, item).await?,
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
    authorization: Option<Authorization>,
) -> Result<Option<(CourseId, i32)>, InternalError> {
    let added = if order.tax_included { 0 } else { item.tax_minor };
    let received = Received { net_minor: item.amount_minor - added, authorization };
    let outcome = memberships::paid(tx, app, period, received).await?;
    if let Some(entitlement) = outcome.entitlement {
        query::set_entitlement(tx, item.id, entitlement).await?;
    }
    Ok(outcome.students)
}

/// Gives access to what an item is; returns by how much that changes the number of the course's students.
pub(super) async fn give(
    tx: &mut Tx,
    app: &App,
    user_id: UserId,
    item: &OrderItem,
) -> Result<Option<(CourseId, i32)>, InternalError> {
    let Some(course) = item.course_id else { return Ok(None) };
    let new = NewEntitlement {
        user_id,
        target: Target::Course(course.uuid()),
        source: Source::Purchase,
        expires_at: None,
        note: String::new(),
        granted_by: None,
    };
    let given = entitlements::give(tx, app, new).await?;
    query::set_entitlement(tx, item.id, given.row.id).await?;
    Ok(Some((course, i32::from(given.first))))
}

/// Changes the numbers of students, last in the transaction and in the order of the courses' ids.
pub(super) async fn count_students(tx: &mut Tx, mut more: Vec<(CourseId, i32)>) -> Result<(), InternalError> {
    more.sort_unstable_by_key(|(course, _)| course.uuid());
    for (course, more) in more {
        catalog::students_changed(tx, course, more).await?;
    }
    Ok(())
}
