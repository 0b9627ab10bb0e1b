//! Sends notifications by email and to devices.
//!
//! What is due is leased, sent, and marked as sent one by one. A node that is killed leaves leases that expire. What it
//! had sent without marking it, at most what it was sending at that time, is then sent again with the same Message-ID
//! or message id, so that a receiver can recognize it: no mail server knows a stronger promise.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;

use super::mails::{self, DIGEST, Item, NOTIFICATION, Reader, ReceiptLines};
use super::text::Language;
use crate::notifications::command::{self, Ready};
use crate::notifications::model::{Notification, NotificationKind, Text};
use crate::orders::{OrderId, receipt_of};
use crate::platform::App;
use crate::platform::internal_error::{Context, InternalError};
use crate::platform::mail::{self, Mail, MailingList, RecipientRejected, suppression};
use crate::platform::push::{Failure, Message};

/// The number of mails and messages in flight. With the timeout, those of a lease take at most four minutes.
const IN_FLIGHT: usize = 8;
/// The timeout of one mail or message.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The number of leases of one run, after which other jobs have their turn.
const ROUNDS: usize = 16;
/// The number of notifications that a digest shows.
const SHOWN: usize = 20;

/// Sends what is due.
pub(super) async fn send(app: App) -> Result<(), InternalError> {
    for _ in 0..ROUNDS {
        let Some(ready) = command::lease(&app).await? else { return Ok(()) };
        let sending = ready.into_iter().map(|ready| {
            let app = app.clone();
            async move { one(&app, &ready).await }
        });
        stream::iter(sending).for_each_concurrent(IN_FLIGHT, |sending| sending).await;
        if app.stopping.is_cancelled() {
            return Ok(());
        }
    }
    command::send_more(&app).await
}

/// Sends one mail or message and records what became of it. What cannot be recorded is sent again.
async fn one(app: &App, ready: &Ready) {
    let recorded = match &ready.device {
        Some(device) => {
            let (target, message) = (device.target(), message(app, ready));
            match tokio::time::timeout(TIMEOUT, app.pusher.send(&target, &message)).await {
                Ok(Ok(())) => command::sent(app, ready).await,
                Ok(Err(Failure::Gone)) => command::device_gone(app, ready, device.id).await,
                Ok(Err(Failure::Later(wait, error))) => command::postponed(app, ready, wait, &error.report()).await,
                Ok(Err(Failure::Rejected(error))) => command::rejected(app, ready, &error.report()).await,
                Err(_) => command::postponed(app, ready, None, "the push service took too long").await,
            }
        }
        None => by_mail(app, ready).await,
    };
    if let Err(error) = recorded {
        tracing::error!(delivery = %ready.parcel.id, error = error.report(), "a delivery could not be recorded");
    }
}

async fn by_mail(app: &App, ready: &Ready) -> Result<(), InternalError> {
    let sending = async { app.mailer.send(&mail(app, ready).await?, app.clock.now()).await };
    let error = match tokio::time::timeout(TIMEOUT, sending).await.context("send a mail") {
        Ok(Ok(())) => return command::sent(app, ready).await,
        Ok(Err(error)) | Err(error) => error,
    };
    if error.downcast_ref::<RecipientRejected>().is_some() {
        suppression::suppress(app, &[(ready.user.email.clone(), suppression::Reason::Bounce)]).await?;
        return command::rejected(app, ready, &error.report()).await;
    }
    command::postponed(app, ready, None, &error.report()).await
}

async fn mail(app: &App, ready: &Ready) -> Result<Mail, InternalError> {
    let language = Language::of(ready.user.locale.as_deref().unwrap_or_default());
    let mut items: Vec<Item> = Vec::new();
    for (row, text) in ready.shown.iter().take(SHOWN) {
        items.push(item(app, row, text, language).await?);
    }
    let kind = ready.shown.first().map(|(row, _)| row.kind).filter(|_| !ready.parcel.is_digest);
    let unsubscribe = command::unsubscribe_url(app, ready.user.id, kind);
    let reader = Reader { name: &ready.user.name, language, unsubscribe: &unsubscribe };
    let (template, context) = match (kind, items.as_slice()) {
        (Some(_), [only]) => (&NOTIFICATION, mails::one(&reader, only)),
        (_, items) => {
            let link = format!("{}/notifications", app.config.app_url);
            (&DIGEST, mails::several(&reader, items, ready.shown.len() - items.len(), &link))
        }
    };
    let rendered = mail::render(&app.config, template, &ready.user.email, context)?;
    let list = Some(MailingList { name: list_name(kind), unsubscribe });
    Ok(Mail { id: ready.parcel.id, list, ..rendered })
}

/// The name of a list in mails, such as `new-video`.
fn list_name(kind: Option<NotificationKind>) -> String {
    kind.map_or_else(|| "digest".to_owned(), |kind| kind.as_str().to_lowercase().replace('_', "-"))
}

async fn item(
    app: &App,
    row: &Notification,
    Text { title, body }: &Text,
    language: Language,
) -> Result<Item, InternalError> {
    let receipt = receipt(app, row, language).await?;
    Ok(Item { title: title.clone(), body: body.clone(), receipt, link: link(app, row) })
}

/// What the mail of a paid order says beyond its notification, which stays short.
async fn receipt(app: &App, row: &Notification, language: Language) -> Result<Option<ReceiptLines>, InternalError> {
    if row.kind != NotificationKind::OrderPaid {
        return Ok(None);
    }
    let order: Option<OrderId> = row.subject.parse().ok();
    let order = order.ok_or_else(|| InternalError::new("the subject of a receipt is no order"))?;
    Ok(receipt_of(app, order).await?.map(|receipt| ReceiptLines::of(&receipt, language)))
}

/// The page of the front end that shows what a notification is about.
fn link(app: &App, row: &Notification) -> String {
    match &*row.subject {
        "" => format!("{}/notifications", app.config.app_url),
        subject => format!("{}/open?id={subject}", app.config.app_url),
    }
}

fn message(app: &App, ready: &Ready) -> Message {
    let shown = ready.shown.first();
    let (title, body) = shown.map(|(_, text)| (text.title.clone(), text.body.clone())).unwrap_or_default();
    let url = shown.map(|(row, _)| link(app, row)).unwrap_or_default();
    let topic = shown.map(|(row, _)| row.id.uuid().simple().to_string()).unwrap_or_default();
    Message { id: ready.parcel.id, title, body, url, topic }
}
