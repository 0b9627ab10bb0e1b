//! Stores what payment providers tell, once; a job processes it.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::orders::model::{PaymentEventId, PaymentEventProvider, ToldEvent};
use crate::orders::query::event as rows;
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs;
use crate::platform::payments::google_play::Notification;
use crate::platform::payments::{GatewayEvent, Provider};

/// The job that processes an event.
pub(crate) const PROCESS: &str = "orders.process_event";

/// Stores an event whose signature was verified; it is processed by a job. One that was received before is not stored
/// again.
///
/// # Errors
/// The event could not be stored: the provider must send it again.
pub async fn receive(app: &App, provider: Provider, event: &GatewayEvent) -> Result<(), InternalError> {
    let (body, kind) = (serde_json::to_value(event)?, event.fact.kind());
    let (external_id, reference) = (&*event.id, &*event.reference);
    store(app, &ToldEvent { provider: provider.into(), external_id, reference, kind, body: &body }).await
}

/// Stores a notification of Google Play that was verified; it is processed by a job. One that was received before is
/// not stored again.
///
/// # Errors
/// It could not be stored: Google must send it again.
pub async fn receive_play(app: &App, told: &Notification) -> Result<(), InternalError> {
    let body = serde_json::to_value(told)?;
    let event = ToldEvent {
        provider: PaymentEventProvider::GooglePlay,
        external_id: &told.id,
        reference: "",
        kind: &told.kind,
        body: &body,
    };
    store(app, &event).await
}

/// Stores what was told, and has it processed, unless it was stored before.
pub(super) async fn store(app: &App, told: &ToldEvent<'_>) -> Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            let (id, now) = (PaymentEventId::new(app.clock.uuid()), app.clock.now());
            if rows::insert(tx, id, told, now).await? {
                enqueue(tx, app, id, now).await?;
            }
            Ok(())
        })
        .await
}

/// Has an event processed at a time.
pub(super) async fn enqueue(
    tx: &mut Tx,
    app: &App,
    id: PaymentEventId,
    at: DateTime<Utc>,
) -> Result<(), InternalError> {
    // A key of its own for each time, because the job that enqueues the next one is still there.
    let key = format!("{PROCESS}/{}/{}", id.uuid(), at.timestamp_micros());
    jobs::enqueue_at(tx, &app.clock, PROCESS, &json!({ "event": id }), &key, at).await
}
