//! Writes notifications.

use crate::notifications::event::NotificationCreated;
use crate::notifications::model::{NewNotification, NotificationId};
use crate::notifications::query::create as query;
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::{Context, InternalError};
use crate::platform::outbox;

/// Tells an audience of an event: adds it to the notification of its group, or begins one. Returns `None` if it was told
/// before.
///
/// # Errors
/// The database failed.
pub async fn create(app: &App, new: &NewNotification) -> Result<Option<NotificationId>, InternalError> {
    app.db.transaction(async |tx| create_in(tx, app, new).await).await
}

/// Like [`create`], in the caller's transaction.
pub(super) async fn create_in(
    tx: &mut Tx,
    app: &App,
    new: &NewNotification,
) -> Result<Option<NotificationId>, InternalError> {
    if query::is_written(tx, new.event_id()).await? {
        return Ok(None);
    }
    let facts = serde_json::to_value(&new.facts).context("the facts of a notification cannot be serialized")?;
    let now = app.clock.now();
    let id = query::lock(tx, app.clock.uuid(), new, now).await?;
    // Fails if the same job runs twice at once; the retry finds the event.
    query::add(tx, id, new, facts, now).await?;
    let created = NotificationCreated {
        notification: id,
        occurrence: new.event_id(),
        kind: new.kind,
        audience: new.audience.to_string(),
        actor: new.actor,
        at: now,
    };
    outbox::record(tx, &app.clock, &created).await?;
    Ok(Some(id))
}
