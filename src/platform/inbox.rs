//! Incoming webhooks: each event is stored once, acknowledged, and then processed by a job.

use crate::platform::db::RunQueryDsl;
use diesel::ExpressionMethods;
use serde_json::Value;

use super::clock::Clock;
use super::db::Tx;
use super::db::schema::inbox;
use super::internal_error::{Context, InternalError};
use super::jobs;

/// Whether an incoming event was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// The event was stored, and a job for it was enqueued.
    New,
    /// The event was received before: nothing was stored or enqueued.
    Duplicate,
}

/// Stores the event `external_id` of `source` and enqueues `handler` for it.
///
/// Both happen in the caller's transaction.
///
/// Respond with 2xx only after the commit: the provider does not send an acknowledged event again.
///
/// # Errors
/// The database failed.
pub async fn receive(
    tx: &mut Tx,
    clock: &Clock,
    source: &str,
    external_id: &str,
    handler: &str,
    payload: &Value,
) -> Result<Receipt, InternalError> {
    let id = clock.uuid();
    let stored = diesel::insert_into(inbox::table)
        .values((
            inbox::id.eq(id),
            inbox::source.eq(source),
            inbox::external_id.eq(external_id),
            inbox::payload.eq(payload),
            inbox::received_at.eq(clock.now()),
        ))
        .on_conflict((inbox::source, inbox::external_id))
        .do_nothing()
        .execute(tx.conn())
        .await
        .context("cannot store an incoming event")?;
    if stored == 0 {
        return Ok(Receipt::Duplicate);
    }
    jobs::enqueue(tx, clock, handler, payload, &format!("{id}/{handler}")).await?;
    Ok(Receipt::New)
}
