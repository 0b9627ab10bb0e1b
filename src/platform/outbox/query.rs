//! SQL of the event log.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::data_types::PgInterval;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Interval, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use serde_json::Value;
use uuid::Uuid;

use super::push::Push;
use crate::platform::db::schema::{event_counter, event_topics, events};
use crate::platform::db::{RunQueryDsl, Tx, Writer, sql_query};

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
    sql_query(
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
    #[derive(QueryableByName)]
    struct Last {
        #[diesel(sql_type = Text)]
        topic: String,
        #[diesel(sql_type = BigInt)]
        position: i64,
    }
    // One step into the index for each topic, however long its log is.
    let rows: Vec<Last> = sql_query(
        "SELECT topic, last.position FROM unnest($1) AS topic CROSS JOIN LATERAL ( \
            SELECT position FROM event_topics WHERE event_topics.topic = topic.topic \
            ORDER BY position DESC LIMIT 1) AS last",
    )
    .bind::<Array<Text>, _>(topics)
    .load(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.topic, row.position)).collect())
}

/// A row of `event_topics`: topic, position, previous position.
pub(super) type TopicRow = (String, i64, i64);

pub(super) async fn insert_topics(tx: &mut Tx, rows: Vec<TopicRow>) -> QueryResult<usize> {
    let (mut topics, mut positions, mut previous) = (Vec::new(), Vec::new(), Vec::new());
    for (topic, position, before) in rows {
        topics.push(topic);
        positions.push(position);
        previous.push(before);
    }
    sql_query("INSERT INTO event_topics (topic, position, previous) SELECT * FROM unnest($1, $2, $3)")
        .bind::<Array<Text>, _>(topics)
        .bind::<Array<BigInt>, _>(positions)
        .bind::<Array<BigInt>, _>(previous)
        .execute(tx.conn())
        .await
}

/// The positions of events that were not pushed yet, in order.
pub(super) async fn unpushed(conn: &mut AsyncPgConnection, limit: i64) -> QueryResult<Vec<i64>> {
    events::table
        .filter(events::position.is_not_null().and(events::pushed_at.is_null()))
        .order(events::position)
        .limit(limit)
        .select(events::position.assume_not_null())
        .load(conn)
        .await
}

/// The positions of events after `after`, in order.
pub(super) async fn after(conn: &mut AsyncPgConnection, after: i64, limit: i64) -> QueryResult<Vec<i64>> {
    events::table
        .filter(events::position.gt(after))
        .order(events::position)
        .limit(limit)
        .select(events::position.assume_not_null())
        .load(conn)
        .await
}

/// The topics and messages of the events at `positions`, in their order. An event without topics has none.
pub(super) async fn pushes(conn: &mut AsyncPgConnection, positions: &[i64]) -> QueryResult<Vec<(String, Push)>> {
    let rows: Vec<(String, i64, i64, Value)> = event_topics::table
        .inner_join(events::table.on(events::position.eq(event_topics::position.nullable())))
        .filter(event_topics::position.eq_any(positions))
        .order((event_topics::position, event_topics::topic))
        .select((event_topics::topic, event_topics::position, event_topics::previous, events::payload))
        .load(conn)
        .await?;
    let push = |(topic, position, previous, payload)| (topic, Push { position, previous, payload });
    Ok(rows.into_iter().map(push).collect())
}

/// The last position of all; 0 if there are no events.
pub(super) async fn last_of_all(conn: &mut AsyncPgConnection) -> QueryResult<i64> {
    event_counter::table.select(event_counter::last_position).first(conn).await
}

/// Takes or renews the lease for pushing; false if another node holds it.
pub(super) async fn lease_push(writer: &mut Writer, node: Uuid, lease: PgInterval) -> QueryResult<bool> {
    let leased = sql_query(
        "UPDATE event_pusher SET node = $1, leased_until = clock_timestamp() + $2 \
         WHERE node = $1 OR leased_until <= clock_timestamp()",
    );
    let leased = leased.bind::<SqlUuid, _>(node).bind::<Interval, _>(lease).execute(writer.conn()).await?;
    Ok(leased == 1)
}

/// Marks events as pushed. Their rows are locked in one order, as a node whose lease expired may do the same.
pub(super) async fn mark_pushed(writer: &mut Writer, positions: &[i64], now: DateTime<Utc>) -> QueryResult<usize> {
    sql_query(
        "WITH pushed AS (SELECT id FROM events WHERE position = ANY($1) ORDER BY position FOR NO KEY UPDATE) \
         UPDATE events SET pushed_at = $2 FROM pushed WHERE events.id = pushed.id",
    )
    .bind::<Array<BigInt>, _>(positions)
    .bind::<Timestamptz, _>(now)
    .execute(writer.conn())
    .await
}

/// The epoch of the log, never 0.
///
/// The timeline is that of the next WAL record, which a promotion changes at once.
pub(super) async fn epoch(conn: &mut AsyncPgConnection) -> QueryResult<i64> {
    #[derive(QueryableByName)]
    struct Derived {
        #[diesel(sql_type = BigInt)]
        epoch: i64,
    }
    let derived: Derived = sql_query(
        "SELECT hashtextextended(concat_ws('/', (SELECT system_identifier FROM pg_control_system()), \
            left(pg_walfile_name(pg_current_wal_lsn()), 8), 'event_counter'::regclass::oid), 0) & 9007199254740991 AS epoch",
    )
    .get_result(conn)
    .await?;
    Ok(derived.epoch.max(1))
}

/// How far the log reaches.
#[derive(QueryableByName)]
pub(super) struct Log {
    /// The last position before the oldest event that is kept; 0 if none was deleted.
    #[diesel(sql_type = BigInt)]
    pub(super) forgotten: i64,
    /// The last position.
    #[diesel(sql_type = BigInt)]
    pub(super) last: i64,
}

pub(super) async fn log(conn: &mut AsyncPgConnection) -> QueryResult<Log> {
    // Positions have no gaps, so what is before the oldest event was deleted.
    sql_query(
        "SELECT coalesce((SELECT min(position) - 1 FROM events WHERE position IS NOT NULL), last_position) AS forgotten, \
            last_position AS last FROM event_counter",
    )
    .get_result(conn)
    .await
}

/// The events of `topics` with positions strictly between `after` and `before`.
///
/// Returns positions and payloads. Oldest first if `forward`, otherwise newest first.
pub(super) async fn between(
    conn: &mut AsyncPgConnection,
    topics: &[String],
    (after, before): (i64, i64),
    forward: bool,
    limit: i64,
) -> QueryResult<Vec<(i64, Value)>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        position: i64,
        #[diesel(sql_type = Jsonb)]
        payload: Value,
    }
    let order = if forward { "ASC" } else { "DESC" };
    // At most a page of each topic is read from the index, however long its log is.
    let rows: Vec<Row> = sql_query(format!(
        "SELECT events.position, events.payload FROM ( \
            SELECT page.position FROM unnest($1) AS topic CROSS JOIN LATERAL ( \
                SELECT position FROM event_topics \
                WHERE event_topics.topic = topic.topic AND position > $2 AND position < $3 \
                ORDER BY position {order} LIMIT $4) AS page \
            ORDER BY page.position {order} LIMIT $4) AS pages \
         JOIN events ON events.position = pages.position ORDER BY events.position {order}"
    ))
    .bind::<Array<Text>, _>(topics)
    .bind::<BigInt, _>(after)
    .bind::<BigInt, _>(before)
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.position, row.payload)).collect())
}

pub(super) async fn count(conn: &mut AsyncPgConnection, topics: &[String]) -> QueryResult<i64> {
    event_topics::table.filter(event_topics::topic.eq_any(topics)).count().get_result(conn).await
}
