//! SQL of the event log.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::max;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use serde_json::Value;
use uuid::Uuid;

use crate::platform::db::schema::{event_counter, event_topics, events};
use crate::platform::db::{RunQueryDsl, Tx, Writer};

/// An event without a position.
#[derive(Queryable)]
pub(super) struct Unnumbered {
    pub(super) id: Uuid,
    pub(super) kind: String,
    pub(super) topics: Vec<String>,
    pub(super) payload: Value,
}

/// Locks the position counter and returns the last assigned position. The lock ends with the transaction.
pub(super) async fn lock_counter(tx: &mut Tx) -> QueryResult<i64> {
    event_counter::table.select(event_counter::last_position).for_no_key_update().first(tx.conn()).await
}

pub(super) async fn advance_counter(tx: &mut Tx, last: i64) -> QueryResult<usize> {
    diesel::update(event_counter::table).set(event_counter::last_position.eq(last)).execute(tx.conn()).await
}

pub(super) async fn unnumbered(tx: &mut Tx, limit: i64) -> QueryResult<Vec<Unnumbered>> {
    events::table
        .filter(events::position.is_null())
        .order(events::id)
        .limit(limit)
        .select((events::id, events::kind, events::topics, events::payload))
        .load(tx.conn())
        .await
}

pub(super) async fn set_positions(tx: &mut Tx, ids: Vec<Uuid>, first: i64) -> QueryResult<usize> {
    diesel::sql_query(
        "UPDATE events SET position = $2 + given.place - 1 \
         FROM unnest($1) WITH ORDINALITY AS given (id, place) WHERE events.id = given.id",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<BigInt, _>(first)
    .execute(tx.conn())
    .await
}

/// The last position in each of `topics`; topics without events are absent.
pub(super) async fn last_positions(tx: &mut Tx, topics: &[String]) -> QueryResult<HashMap<String, i64>> {
    let rows: Vec<(String, Option<i64>)> = event_topics::table
        .filter(event_topics::topic.eq_any(topics))
        .group_by(event_topics::topic)
        .select((event_topics::topic, max(event_topics::position)))
        .load(tx.conn())
        .await?;
    Ok(rows.into_iter().filter_map(|(topic, last)| Some((topic, last?))).collect())
}

/// A row of `event_topics`: topic, position, previous position.
pub(super) type TopicRow = (String, i64, i64);

pub(super) async fn insert_topics(tx: &mut Tx, rows: Vec<TopicRow>) -> QueryResult<usize> {
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(topic, position, previous)| {
            (event_topics::topic.eq(topic), event_topics::position.eq(position), event_topics::previous.eq(previous))
        })
        .collect();
    diesel::insert_into(event_topics::table).values(rows).execute(tx.conn()).await
}

/// An event that was not pushed yet, once per topic. `topic` is `None` if the event has no topics.
#[derive(Queryable)]
pub(super) struct Unpushed {
    pub(super) position: Option<i64>,
    pub(super) payload: Value,
    pub(super) topic: Option<(String, i64)>,
}

pub(super) async fn unpushed(conn: &mut AsyncPgConnection, limit: i64) -> QueryResult<Vec<Unpushed>> {
    let positions: Vec<Option<i64>> = events::table
        .filter(events::position.is_not_null().and(events::pushed_at.is_null()))
        .order(events::position)
        .limit(limit)
        .select(events::position)
        .load(conn)
        .await?;
    events::table
        .left_join(event_topics::table.on(event_topics::position.nullable().eq(events::position)))
        .filter(events::position.eq_any(positions))
        .order((events::position, event_topics::topic))
        .select((events::position, events::payload, (event_topics::topic, event_topics::previous).nullable()))
        .load(conn)
        .await
}

pub(super) async fn mark_pushed(writer: &mut Writer, positions: &[i64], now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(events::table.filter(events::position.eq_any(positions)))
        .set(events::pushed_at.eq(now))
        .execute(writer.conn())
        .await
}

/// The last position in `topic`; 0 if it has no events.
pub(super) async fn last_position(conn: &mut AsyncPgConnection, topic: &str) -> QueryResult<i64> {
    let last: Option<i64> = event_topics::table
        .filter(event_topics::topic.eq(topic))
        .select(max(event_topics::position))
        .first(conn)
        .await?;
    Ok(last.unwrap_or_default())
}

/// The events of `topic` with positions strictly between `after` and `before`.
///
/// Returns positions and payloads. Oldest first if `forward`, otherwise newest first.
pub(super) async fn between(
    conn: &mut AsyncPgConnection,
    topic: &str,
    after: i64,
    before: i64,
    forward: bool,
    limit: i64,
) -> QueryResult<Vec<(i64, Value)>> {
    let rows = event_topics::table
        .inner_join(events::table.on(events::position.eq(event_topics::position.nullable())))
        .filter(event_topics::topic.eq(topic))
        .filter(event_topics::position.gt(after).and(event_topics::position.lt(before)))
        .select((event_topics::position, events::payload))
        .limit(limit);
    if forward {
        rows.order(event_topics::position.asc()).load(conn).await
    } else {
        rows.order(event_topics::position.desc()).load(conn).await
    }
}

pub(super) async fn count(conn: &mut AsyncPgConnection, topic: &str) -> QueryResult<i64> {
    event_topics::table.filter(event_topics::topic.eq(topic)).count().get_result(conn).await
}

/// Deletes events that were recorded before `before` and pushed to all subscribers.
pub(super) async fn forget(writer: &mut Writer, before: DateTime<Utc>) -> QueryResult<usize> {
    diesel::delete(events::table.filter(events::recorded_at.lt(before).and(events::pushed_at.is_not_null())))
        .execute(writer.conn())
        .await
}
