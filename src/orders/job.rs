//! The jobs of orders: what providers have told, refunds, questions about open payments, and the end of unpaid orders.

mod mails;

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt;
use serde::Deserialize;
use uuid::Uuid;

pub use self::mails::mails;
use super::command::{self, GiftToMail};
use super::event::{OrderCanceled, OrderExpired, OrderFailed, OrderPaid, OrderRefundDone, OrderRefundFailed};
use super::model::{GiftId, PaymentEventId, RefundId, written};
use super::query::event::EVENTS;
use crate::accounts::UserDeleted;
use crate::catalog::CourseId;
use crate::entitlements::AccessEnded;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::mail;
use crate::platform::outbox::Event;
use crate::platform::retention::{self, delete};

/// How long it is known what providers have told.
const EVENT_AGE: TimeDelta = TimeDelta::days(400);

/// Returns the job handlers of this feature.
pub fn handlers() -> Vec<Handler> {
    let (short, long) = (Duration::from_secs(60), Duration::from_secs(600));
    vec![
        Handler::queued(command::PROCESS, short, |app, payload| {
            async move {
                let Process { event } = serde_json::from_value(payload)?;
                command::process(&app, event).await
            }
            .boxed()
        }),
        Handler::queued(command::REFUND, short, |app, payload| {
            async move {
                let Refunding { refund } = serde_json::from_value(payload)?;
                command::send_refund(&app, refund).await
            }
            .boxed()
        }),
        Handler::queued(command::CLOSE, short, |app, payload| {
            async move {
                let Closing { payment } = serde_json::from_value(payload)?;
                command::close(&app, payment).await
            }
            .boxed()
        }),
        Handler::queued(command::MAIL, short, |app, payload| {
            async move {
                let Mailing { gift, number } = serde_json::from_value(payload)?;
                mail_gift(&app, gift, number).await
            }
            .boxed()
        }),
        Handler::scheduled("orders.expire_gifts", "23 * * * *", long, |app, _| {
            async move { command::expire_gifts(&app).await }.boxed()
        }),
        Handler::reaction("orders.invoice", OrderPaid::KIND, short, |app, payload| {
            async move {
                let OrderPaid { order, buyer } = serde_json::from_value(payload)?;
                command::issue_invoice(&app, order, buyer).await
            }
            .boxed()
        }),
        Handler::reaction("orders.credit_note", OrderRefundDone::KIND, short, |app, payload| {
            async move {
                let OrderRefundDone { order, buyer, refund } = serde_json::from_value(payload)?;
                command::issue_credit_note(&app, (order, RefundId::new(refund)), buyer).await
            }
            .boxed()
        }),
        Handler::reaction("orders.record_tax", OrderPaid::KIND, short, |app, payload| {
            async move {
                let OrderPaid { order, .. } = serde_json::from_value(payload)?;
                command::record_tax(&app, order).await
            }
            .boxed()
        }),
        Handler::reaction("orders.record_refunded_tax", OrderRefundDone::KIND, short, |app, payload| {
            async move {
                let OrderRefundDone { order, refund, .. } = serde_json::from_value(payload)?;
                command::record_refunded_tax(&app, (order, RefundId::new(refund))).await
            }
            .boxed()
        }),
        Handler::reaction("orders.undo_refunded_tax", OrderRefundFailed::KIND, short, |app, payload| {
            async move {
                let OrderRefundFailed { order, refund, .. } = serde_json::from_value(payload)?;
                command::record_refunded_tax(&app, (order, RefundId::new(refund))).await
            }
            .boxed()
        }),
        Handler::reaction("orders.restore_paid", AccessEnded::KIND, short, |app, payload| {
            async move {
                let AccessEnded { user_id, course_id, .. } = serde_json::from_value(payload)?;
                let Some(course) = course_id.map(CourseId::new) else { return Ok(()) };
                command::restore_paid(&app, user_id, course).await
            }
            .boxed()
        }),
        Handler::reaction("orders.donation_paid", OrderPaid::KIND, short, |app, payload| {
            async move {
                let OrderPaid { order, .. } = serde_json::from_value(payload)?;
                command::settle_donation(&app, order).await
            }
            .boxed()
        }),
        Handler::reaction("orders.donation_failed", OrderFailed::KIND, short, |app, payload| {
            async move {
                let OrderFailed { order, .. } = serde_json::from_value(payload)?;
                command::settle_donation(&app, order).await
            }
            .boxed()
        }),
        Handler::reaction("orders.donation_expired", OrderExpired::KIND, short, |app, payload| {
            async move {
                let OrderExpired { order, .. } = serde_json::from_value(payload)?;
                command::settle_donation(&app, order).await
            }
            .boxed()
        }),
        Handler::reaction("orders.donation_canceled", OrderCanceled::KIND, short, |app, payload| {
            async move {
                let OrderCanceled { order, .. } = serde_json::from_value(payload)?;
                command::settle_donation(&app, order).await
            }
            .boxed()
        }),
        Handler::scheduled("orders.donate", "* * * * *", long, |app, _| {
            async move { command::donate(&app).await }.boxed()
        }),
        Handler::scheduled("orders.reconcile", "* * * * *", long, |app, _| {
            async move { command::reconcile(&app).await }.boxed()
        }),
        Handler::scheduled("orders.renew", "* * * * *", long, |app, _| {
            async move { command::renew(&app).await }.boxed()
        }),
        Handler::scheduled("orders.follow_subscriptions", "* * * * *", long, |app, _| {
            async move { command::follow_subscriptions(&app).await }.boxed()
        }),
        Handler::scheduled("orders.expire", "* * * * *", long, |app, _| {
            async move { command::expire_orders(&app).await }.boxed()
        }),
        Handler::scheduled("orders.remind", "* * * * *", long, |app, _| {
            async move { command::remind(&app).await }.boxed()
        }),
        Handler::reaction("orders.forget_user", UserDeleted::KIND, Duration::from_secs(300), |app, payload| {
            async move {
                let UserDeleted { user_id } = serde_json::from_value(payload)?;
                command::forget_user(&app, user_id).await
            }
            .boxed()
        }),
        Handler::scheduled("orders.forget_events", "51 3 * * *", retention::TIMEOUT, |app, _| {
            delete(app, &[EVENTS], EVENT_AGE)
        }),
    ]
}

/// The payload of [`command::PROCESS`].
#[derive(Deserialize)]
struct Process {
    event: PaymentEventId,
}

/// The payload of [`command::CLOSE`].
#[derive(Deserialize)]
struct Closing {
    payment: Uuid,
}

/// The payload of [`command::REFUND`].
#[derive(Deserialize)]
struct Refunding {
    refund: RefundId,
}

/// The payload of [`command::MAIL`].
#[derive(Deserialize)]
struct Mailing {
    gift: GiftId,
    number: i32,
}

/// Mails a gift to its recipient, unless it was taken back.
async fn mail_gift(app: &App, id: GiftId, number: i32) -> Result<(), InternalError> {
    let Some(GiftToMail { gift, giver, course }) = command::gift_to_mail(app, id, number).await? else {
        return Ok(());
    };
    let code = written(&gift.code);
    let until = gift.expires_at.map(|at| at.to_rfc3339()).unwrap_or_default();
    let message = gift.message.lines().filter(|line| !line.trim().is_empty()).collect();
    let context = mails::GiftMail { giver: &giver, course: &course, message, code: &code, until: &until };
    let mail = mail::render(&app.config, &mails::GIFT, &gift.recipient_email, context)?;
    app.mailer.send(&mail, app.clock.now()).await?;
    command::gift_mailed(app, id).await
}
