//! Events of providers that this version cannot read: administrators see them.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::inbox::enqueue;
use crate::orders::model::PaymentEventId;
use crate::orders::query::event as rows;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::payments::{GatewayEvent, GatewayFact, Provider};

/// The longest id and the longest kind of such an event that are kept, in characters.
const LONGEST: usize = 200;

/// Stores that a provider has told something that cannot be read, although its signature is right. The job that
/// processes it refuses it.
///
/// What was told may be personal, and is not kept. The id is not that of the provider: when a later version can read
/// the event, the provider can send it again.
///
/// # Errors
/// It could not be stored: the provider must send it again.
pub async fn receive_unread(app: &App, provider: Provider, told: &Value) -> Result<(), InternalError> {
    let text = |names: &[&str]| {
        let found = names.iter().find_map(|name| told.get(name).and_then(Value::as_str));
        found.map(|text| text.chars().filter(|letter| *letter != '\0').take(LONGEST).collect::<String>())
    };
    let id = text(&["id"]).unwrap_or_else(|| hex::encode(Sha256::digest(told.to_string())));
    let kind = text(&["type", "event_type", "event"]).unwrap_or_else(|| "unread".to_owned());
    let event = GatewayEvent {
        id: format!("unread/{id}"),
        account: String::new(),
        checkout: String::new(),
        transaction: None,
        reference: String::new(),
        amount_minor: 0,
        currency: String::new(),
        subscription: None,
        fact: GatewayFact::Other { kind },
    };
    app.db
        .transaction(async |tx| {
            let (id, now) = (PaymentEventId::new(app.clock.uuid()), app.clock.now());
            // A body that is no event of this version's, so that it is refused.
            if rows::insert(tx, id, (provider, &event, &json!({ "isUnread": true })), now).await? {
                enqueue(tx, app, id, now).await?;
            }
            Ok(())
        })
        .await
}
