//! Events of providers that this version cannot read: administrators see them, and a later version processes them.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::receive::store;
use crate::orders::model::{PaymentEvent, PaymentEventProvider, ToldEvent};
use crate::orders::query::event as rows;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::payments::google_play::Notification;
use crate::platform::payments::{self, GatewayEvent, Provider};

/// The longest id and the longest kind of such an event that are kept, in characters.
const LONGEST: usize = 200;
/// The key of the encrypted content in the body of such an event.
const SEALED: &str = "sealed";
/// Why such an event is refused.
const UNREAD: &str = "The event is of a form that this version does not know.";

/// Stores that a provider has told something that cannot be read, although its signature is right. The job that
/// processes it refuses it.
///
/// What was told may be personal, so it is encrypted, until a later version reads it. The id is not that of the
/// provider, which may send the event again then.
///
/// # Errors
/// It could not be stored: the provider must send it again.
pub async fn receive_unread(app: &App, provider: PaymentEventProvider, told: &Value) -> Result<(), InternalError> {
    let text = |names: &[&str]| {
        let found = names.iter().find_map(|name| told.get(name).and_then(Value::as_str));
        found.map(|text| text.chars().filter(|letter| *letter != '\0').take(LONGEST).collect::<String>())
    };
    let id = text(&["id"]).unwrap_or_else(|| hex::encode(Sha256::digest(told.to_string())));
    let external_id = format!("unread/{id}");
    let kind = text(&["type", "event_type", "event"]).unwrap_or_else(|| "unread".to_owned());
    let sealed = app.seal.close(told.to_string().as_bytes(), external_id.as_bytes())?;
    let body = json!({ SEALED: hex::encode(sealed) });
    store(app, &ToldEvent { provider, external_id: &external_id, reference: "", kind: &kind, body: &body }).await
}

/// Returns what a stored event of a gateway says, also one that an earlier version could not read, of which only that is
/// kept from then on.
///
/// # Errors
/// The database failed; within, why it cannot be read.
pub(super) async fn event_of(
    app: &App,
    provider: Provider,
    row: &PaymentEvent,
) -> Result<Result<GatewayEvent, String>, InternalError> {
    read(app, row, |told| payments::read_webhook(&app.payments, provider, told).ok()).await
}

/// The same of a notification of Google Play.
///
/// # Errors
/// The database failed; within, why it cannot be read.
pub(super) async fn notification_of(
    app: &App,
    row: &PaymentEvent,
) -> Result<Result<Notification, String>, InternalError> {
    read(app, row, |told| app.payments.google_play()?.read(told)).await
}

/// Reads a stored event, by `parse` if its content is encrypted, which is replaced by what was read then.
async fn read<T: Serialize + DeserializeOwned>(
    app: &App,
    row: &PaymentEvent,
    parse: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<Result<T, String>, InternalError> {
    let unread = || UNREAD.to_owned();
    let Some(sealed) = row.body.get(SEALED).and_then(Value::as_str) else {
        return Ok(serde_json::from_value(row.body.clone()).map_err(|_| unread()));
    };
    let told = match hex::decode(sealed).map(|sealed| app.seal.open(&sealed, row.external_id.as_bytes())) {
        Ok(Ok(told)) => told,
        Ok(Err(error)) => return Ok(Err(error.report())),
        Err(error) => return Ok(Err(error.to_string())),
    };
    let Some(event) = parse(&told) else { return Ok(Err(unread())) };
    let body = serde_json::to_value(&event)?;
    app.db.transaction(async |tx| Ok::<_, InternalError>(rows::set_body(tx, row.id, &body).await?)).await?;
    Ok(Ok(event))
}
