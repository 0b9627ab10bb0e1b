//! The jobs of orders: what providers have told, refunds, questions about open payments, and the end of unpaid orders.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt;
use serde::Deserialize;

use super::command;
use super::model::{PaymentEventId, RefundId};
use super::query::event::EVENTS;
use crate::accounts::UserDeleted;
use crate::platform::jobs::Handler;
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
        Handler::scheduled("orders.reconcile", "* * * * *", long, |app, _| {
            async move { command::reconcile(&app).await }.boxed()
        }),
        Handler::scheduled("orders.renew", "* * * * *", long, |app, _| {
            async move { command::renew(&app).await }.boxed()
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

/// The payload of [`command::REFUND`].
#[derive(Deserialize)]
struct Refunding {
    refund: RefundId,
}
