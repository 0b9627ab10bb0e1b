//! SQL for what payment providers have told.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use serde_json::Value;
use uuid::Uuid;

use crate::graphql::page::Page;
use crate::orders::model::{PaymentEvent, PaymentEventId, PaymentEventState, PaymentEventWhich, ToldEvent};
use crate::platform::db::schema::payment_events;
use crate::platform::db::{RunQueryDsl, Tx, newest_first};
use crate::platform::retention::Retention;

/// Old events.
pub(crate) const EVENTS: Retention = Retention::new("payment_events", "received_at");

/// Stores an event; returns whether it is new.
pub(crate) async fn insert(
    tx: &mut Tx,
    id: PaymentEventId,
    told: &ToldEvent<'_>,
    now: DateTime<Utc>,
) -> QueryResult<bool> {
    let stored = diesel::insert_into(payment_events::table)
        .values((
            payment_events::id.eq(id),
            payment_events::provider.eq(told.provider),
            payment_events::external_id.eq(told.external_id),
            payment_events::reference.eq(told.reference),
            payment_events::kind.eq(told.kind),
            payment_events::body.eq(told.body),
            payment_events::state.eq(PaymentEventState::Received),
            payment_events::received_at.eq(now),
        ))
        .on_conflict((payment_events::provider, payment_events::external_id))
        .do_nothing()
        .execute(tx.conn())
        .await?;
    Ok(stored == 1)
}

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[PaymentEventId]) -> QueryResult<Vec<PaymentEvent>> {
    payment_events::table.filter(payment_events::id.eq_any(ids)).select(PaymentEvent::as_select()).load(conn).await
}

/// Returns an event and locks it.
pub(crate) async fn lock(tx: &mut Tx, id: PaymentEventId) -> QueryResult<Option<PaymentEvent>> {
    let row = payment_events::table.find(id).select(PaymentEvent::as_select()).for_no_key_update();
    row.first(tx.conn()).await.optional()
}

/// Records the outcome of an attempt to process an event.
pub(crate) async fn attempted(
    tx: &mut Tx,
    id: PaymentEventId,
    (state, error): (PaymentEventState, Option<&str>),
    now: DateTime<Utc>,
) -> QueryResult<PaymentEvent> {
    let processed_at = (state == PaymentEventState::Processed).then_some(now);
    diesel::update(payment_events::table.find(id))
        .set((
            payment_events::state.eq(state),
            payment_events::attempts.eq(payment_events::attempts + 1),
            payment_events::last_error.eq(error),
            payment_events::processed_at.eq(processed_at),
        ))
        .returning(PaymentEvent::as_returning())
        .get_result(tx.conn())
        .await
}

/// Keeps which payment an event is about, if the provider has not told it by our id.
pub(crate) async fn set_reference(tx: &mut Tx, id: PaymentEventId, reference: &str) -> QueryResult<usize> {
    diesel::update(payment_events::table.find(id)).set(payment_events::reference.eq(reference)).execute(tx.conn()).await
}

/// Replaces what was told.
pub(crate) async fn set_body(tx: &mut Tx, id: PaymentEventId, body: &Value) -> QueryResult<usize> {
    diesel::update(payment_events::table.find(id)).set(payment_events::body.eq(body)).execute(tx.conn()).await
}

/// Has an event processed again, with all its attempts.
pub(crate) async fn reset(tx: &mut Tx, id: PaymentEventId) -> QueryResult<PaymentEvent> {
    diesel::update(payment_events::table.find(id))
        .set((payment_events::state.eq(PaymentEventState::Received), payment_events::attempts.eq(0)))
        .returning(PaymentEvent::as_returning())
        .get_result(tx.conn())
        .await
}

/// Returns a page of events, newest first, in the page's direction.
pub async fn page(
    mut conn: &AsyncPgConnection,
    which: &PaymentEventWhich,
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> QueryResult<Vec<PaymentEvent>> {
    let rows = filtered(which).select(PaymentEvent::as_select());
    newest_first!(&mut conn, rows, payment_events::received_at, payment_events::id, page)
}

/// Counts the events of a list.
pub async fn count(mut conn: &AsyncPgConnection, which: &PaymentEventWhich) -> QueryResult<i64> {
    filtered(which).count().get_result(&mut conn).await
}

fn filtered(which: &PaymentEventWhich) -> payment_events::BoxedQuery<'_, Pg> {
    let mut rows = payment_events::table.into_boxed();
    if let Some(states) = &which.states {
        rows = rows.filter(payment_events::state.eq_any(states));
    }
    if let Some(order) = which.order {
        let of_order = sql::<Bool>("reference = ANY (ARRAY(SELECT id::text FROM payments WHERE order_id = ");
        rows = rows.filter(of_order.bind::<SqlUuid, _>(order).sql("))"));
    }
    rows
}
