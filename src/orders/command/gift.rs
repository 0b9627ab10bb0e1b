//! Gifts: offered when they are paid, claimed with their code, and refunded if they stay unclaimed.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::hold::{self, Held};
use super::pay::{count_students, give, is_owned};
use super::refund::return_item;
use crate::accounts::{self, UserById, UserId, viewer};
use crate::catalog::{CourseById, CourseId};
use crate::graphql::Result;
use crate::graphql::error::Check;
use crate::graphql::loaders::Load;
use crate::orders::error;
use crate::orders::event::GiftClaimed;
use crate::orders::loader::{ItemById, OrderById};
use crate::orders::model::{ClaimGiftInput, Gift, GiftId, OrderItem, ResendGiftInput, gift_code, normal_gift_code};
use crate::orders::query::gift as rows;
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::{jobs, outbox};

/// The job that mails a gift.
pub(crate) const MAIL: &str = "orders.mail_gift";

/// The maximum number of mails of a gift.
const MOST_MAILS: i32 = 10;
/// The reason of the refund of a gift that was not claimed.
const NOT_CLAIMED: &str = "The gift was not claimed in time.";

/// Makes a gift claimable until it expires, and has it mailed unless it was before.
pub(super) async fn offer(tx: &mut Tx, app: &App, gift: &Gift) -> std::result::Result<(), InternalError> {
    let now = app.clock.now();
    let at = gift.send_at.map_or(now, |at| at.max(now));
    rows::set_expiry(tx, gift.id, Some(at + app.config.payments.gift_lifetime)).await?;
    if gift.mails_asked == 0 {
        let gift = rows::ask_mail(tx, gift.id, (&gift.recipient_email, &gift.code)).await?;
        enqueue(tx, app, &gift, at).await?;
    }
    Ok(())
}

async fn enqueue(tx: &mut Tx, app: &App, gift: &Gift, at: DateTime<Utc>) -> std::result::Result<(), InternalError> {
    let key = format!("{MAIL}/{}/{}", gift.id.uuid(), gift.mails_asked);
    let payload = json!({ "gift": gift.id, "number": gift.mails_asked });
    jobs::enqueue_at(tx, &app.clock, MAIL, &payload, &key, at).await
}

/// Claims a gift: the actor gets the course. Claiming it again does nothing.
///
/// # Errors
/// There is no such gift, or it was taken back or claimed by another user; the actor has the course already.
pub async fn claim_gift(app: &App, actor: &Actor, input: ClaimGiftInput) -> Result<(Gift, CourseId)> {
    let user = viewer(actor)?;
    let code = normal_gift_code(&input.code);
    app.db
        .transaction(async |tx| {
            let found = rows::by_code(tx, &code).await?.ok_or_else(error::no_such_gift)?;
            let held = hold::lock_for(tx, found.order_id, Some(user)).await?.ok_or_else(error::no_such_gift)?;
            // Read again, under the lock of the order: the code may have changed.
            let (gift, item) =
                held.gift(found.id).filter(|(gift, _)| gift.code == code).ok_or_else(error::no_such_gift)?;
            let course = item.course_id.filter(|_| is_paid(&held, item)).ok_or_else(error::no_such_gift)?;
            match gift.claimed_by {
                None => {}
                Some(claimer) if claimer == user => return Ok((gift.clone(), course)),
                Some(_) => return Err(error::claimed_already()),
            }
            if is_owned(tx, app, user, course).await? {
                return Err(error::gift_is_owned());
            }
            let gift = rows::set_claimed(tx, gift.id, user, app.clock.now()).await?;
            let held = hold::reread(tx, &held).await?;
            let more = give(tx, app, &held, item).await?;
            let claimed = GiftClaimed { order: held.order.id, buyer: held.order.buyer_id };
            outbox::record(tx, &app.clock, &claimed).await?;
            count_students(tx, more.into_iter().collect()).await?;
            Ok((gift, course))
        })
        .await
}

/// Whether an item is paid for, and was not taken back.
fn is_paid(held: &Held, item: &OrderItem) -> bool {
    item.is_live && held.order.status.is_paid()
}

/// Mails a gift once more, to another address if there is one. With another address it has another code.
///
/// # Errors
/// The input is invalid; there is no such gift of the actor; it is claimed, or not paid; it was mailed too often.
pub async fn resend_gift(app: &App, actor: &Actor, input: ResendGiftInput) -> Result<Gift> {
    let giver = viewer(actor)?;
    let mut check = Check::new();
    let email = input.recipient_email.as_ref();
    let email = email.map(|email| accounts::check_email(&mut check, "recipientEmail", email));
    check.finish()?;
    app.db
        .transaction(async |tx| {
            let found = rows::by_ids(tx.conn(), &[input.gift_id]).await?.pop().ok_or_else(error::no_gift_with_id)?;
            let held = hold::lock(tx, found.order_id).await?;
            let held = held.filter(|held| held.order.buyer_id == giver).ok_or_else(error::no_gift_with_id)?;
            let (gift, item) = held.gift(found.id).ok_or_else(error::no_gift_with_id)?;
            if gift.claimed_by.is_some() || !is_paid(&held, item) {
                return Err(error::not_resendable());
            }
            if gift.mails_asked >= MOST_MAILS {
                return Err(error::mailed_too_often());
            }
            let (recipient, code) = match &email {
                Some(email) if *email != gift.recipient_email => (email.clone(), gift_code(rand::random())),
                _ => (gift.recipient_email.clone(), gift.code.clone()),
            };
            let gift = rows::ask_mail(tx, gift.id, (&recipient, &code)).await?;
            enqueue(tx, app, &gift, app.clock.now()).await?;
            Ok(gift)
        })
        .await
}

/// Refunds the gifts that were not claimed in time.
///
/// # Errors
/// The database failed.
pub(crate) async fn expire_gifts(app: &App) -> std::result::Result<(), InternalError> {
    while !app.stopping.is_cancelled() {
        let now = app.clock.now();
        let due = rows::expired(&mut *app.db.read().await?, now).await?;
        if due.is_empty() {
            break;
        }
        for due in due {
            let expired = app.db.transaction(async |tx| {
                let Some(held) = hold::lock(tx, due.order_id).await? else { return Ok(()) };
                let found = held.gift(due.id);
                let Some((_, item)) = found.filter(|(gift, _)| gift.expires_at.is_some_and(|at| at <= now)) else {
                    return Ok(());
                };
                rows::set_expiry(tx, due.id, None).await?;
                return_item(tx, app, &held, item, NOT_CLAIMED).await
            });
            expired.await?;
        }
    }
    Ok(())
}

/// A gift to mail.
pub(crate) struct GiftToMail {
    pub gift: Gift,
    pub(crate) giver: String,
    pub course: String,
}

/// Returns a gift to mail; `None` if it was mailed, claimed or taken back, or if a later mail is to be sent.
///
/// # Errors
/// The database failed.
pub(crate) async fn gift_to_mail(
    app: &App,
    id: GiftId,
    number: i32,
) -> std::result::Result<Option<GiftToMail>, InternalError> {
    let found = rows::by_ids(&mut *app.db.read().await?, &[id]).await?.pop();
    let Some(gift) = found.filter(|gift| gift.mails_asked == number && gift.expires_at.is_some()) else {
        return Ok(None);
    };
    let Some(order) = OrderById(gift.order_id).load_one(app).await? else { return Ok(None) };
    let item = ItemById(gift.item_id).load_one(app).await?;
    let Some(course) = item.and_then(|item| item.course_id) else { return Ok(None) };
    let Some(course) = CourseById(course).load_one(app).await? else { return Ok(None) };
    let giver = UserById(order.buyer_id).load_one(app).await?.filter(|giver| giver.deleted_at.is_none());
    let giver = giver.map(|giver| giver.name.clone()).unwrap_or_default();
    Ok(Some(GiftToMail { gift, giver, course: course.title.clone() }))
}

/// Notes that a gift was mailed.
///
/// # Errors
/// The database failed.
pub(crate) async fn gift_mailed(app: &App, id: GiftId) -> std::result::Result<(), InternalError> {
    app.db.transaction(async |tx| Ok(rows::set_mailed(tx, id, app.clock.now()).await.map(drop)?)).await
}

/// The latest date to which a gift can be put off.
pub(super) fn latest_sending(now: DateTime<Utc>) -> DateTime<Utc> {
    now + TimeDelta::days(366)
}

/// Removes what a deleted user has written with gifts.
pub(super) async fn forget_giver(app: &App, user: UserId) -> std::result::Result<(), InternalError> {
    app.db.transaction(async |tx| Ok(rows::forget_giver(tx, user).await.map(drop)?)).await
}
