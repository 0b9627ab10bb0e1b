//! SQL for sessions and series.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;

use crate::live::model::{LiveSeriesId, LiveSession, LiveSessionId, NewSession, NewTimes, SessionChanges};
use crate::platform::db::schema::{live_series, live_sessions};
use crate::platform::db::{RunQueryDsl, Tx, sql_query};

/// The number of sessions in one batch of a sweep.
const BATCH: i64 = 100;

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[LiveSessionId]) -> QueryResult<Vec<LiveSession>> {
    live_sessions::table.filter(live_sessions::id.eq_any(ids)).select(LiveSession::as_select()).load(conn).await
}

/// Returns a session and locks it: its seats are taken and given back one after another.
pub(crate) async fn lock(tx: &mut Tx, id: LiveSessionId) -> QueryResult<Option<LiveSession>> {
    live_sessions::table.find(id).select(LiveSession::as_select()).for_no_key_update().first(tx.conn()).await.optional()
}

/// Returns the sessions of a series that start at `from` or later and were not canceled, and locks them, earliest first.
pub(crate) async fn lock_series(
    tx: &mut Tx,
    series: LiveSeriesId,
    from: DateTime<Utc>,
) -> QueryResult<Vec<LiveSession>> {
    live_sessions::table
        .filter(live_sessions::series_id.eq(series).and(live_sessions::starts_at.ge(from)))
        .filter(live_sessions::canceled_at.is_null())
        .order((live_sessions::starts_at, live_sessions::id))
        .select(LiveSession::as_select())
        .for_no_key_update()
        .load(tx.conn())
        .await
}

/// Returns all sessions of a series, earliest first.
pub(crate) async fn of_series(conn: &mut AsyncPgConnection, series: LiveSeriesId) -> QueryResult<Vec<LiveSession>> {
    live_sessions::table
        .filter(live_sessions::series_id.eq(series))
        .order((live_sessions::starts_at, live_sessions::id))
        .select(LiveSession::as_select())
        .load(conn)
        .await
}

/// Returns the time zone of a series; UTC if the name is not known anymore.
pub(crate) async fn zone(tx: &mut Tx, series: LiveSeriesId) -> QueryResult<Tz> {
    let name: String = live_series::table.find(series).select(live_series::time_zone).first(tx.conn()).await?;
    Ok(name.parse().unwrap_or(Tz::UTC))
}

pub(crate) async fn insert_series(
    tx: &mut Tx,
    id: LiveSeriesId,
    (rule, zone): (&str, Tz),
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::insert_into(live_series::table)
        .values((
            live_series::id.eq(id),
            live_series::rule.eq(rule),
            live_series::time_zone.eq(zone.name()),
            live_series::created_at.eq(now),
        ))
        .execute(tx.conn())
        .await
}

/// Inserts sessions, earliest first. Fails if the host of one is in another session at its time.
pub(crate) async fn insert(tx: &mut Tx, new: Vec<NewSession>) -> QueryResult<Vec<LiveSession>> {
    let insert = diesel::insert_into(live_sessions::table).values(new);
    insert.returning(LiveSession::as_returning()).get_results(tx.conn()).await
}

/// Changes locked sessions and increments their versions.
pub(crate) async fn change(
    tx: &mut Tx,
    ids: &[LiveSessionId],
    changes: SessionChanges,
) -> QueryResult<Vec<LiveSession>> {
    diesel::update(live_sessions::table.filter(live_sessions::id.eq_any(ids)))
        .set((changes, live_sessions::version.eq(live_sessions::version + 1)))
        .returning(LiveSession::as_returning())
        .get_results(tx.conn())
        .await
}

/// Moves sessions to new times, all at once, as they may change places. Nobody has entered one that starts at another
/// time then. Fails if a host is in two at once.
pub(crate) async fn reschedule(tx: &mut Tx, times: &[NewTimes]) -> QueryResult<usize> {
    sql_query(
        "UPDATE live_sessions SET starts_at = moved.starts, ends_at = moved.ends, remind_at = moved.due, \
             started_at = CASE WHEN starts_at = moved.starts THEN started_at END \
         FROM unnest($1, $2, $3, $4) AS moved (moved_id, starts, ends, due) WHERE live_sessions.id = moved.moved_id",
    )
    .bind::<Array<SqlUuid>, _>(times.iter().map(|row| row.id).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(times.iter().map(|row| row.starts_at).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(times.iter().map(|row| row.ends_at).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(times.iter().map(|row| row.remind_at).collect::<Vec<_>>())
    .execute(tx.conn())
    .await
}

/// Cancels locked sessions.
pub(crate) async fn cancel(tx: &mut Tx, ids: &[LiveSessionId], now: DateTime<Utc>) -> QueryResult<Vec<LiveSession>> {
    diesel::update(live_sessions::table.filter(live_sessions::id.eq_any(ids)))
        .set((live_sessions::canceled_at.eq(now), live_sessions::version.eq(live_sessions::version + 1)))
        .returning(LiveSession::as_returning())
        .get_results(tx.conn())
        .await
}

pub(crate) async fn delete(tx: &mut Tx, id: LiveSessionId) -> QueryResult<usize> {
    diesel::delete(live_sessions::table.find(id)).execute(tx.conn()).await
}

/// Notes that the host or the first participant has entered a locked session.
pub(crate) async fn set_started(tx: &mut Tx, id: LiveSessionId, now: DateTime<Utc>) -> QueryResult<LiveSession> {
    diesel::update(live_sessions::table.find(id))
        .set(live_sessions::started_at.eq(now))
        .returning(LiveSession::as_returning())
        .get_result(tx.conn())
        .await
}

/// Notes that a user has a place in a locked session.
pub(crate) async fn set_had_places(tx: &mut Tx, id: LiveSessionId) -> QueryResult<usize> {
    diesel::update(live_sessions::table.find(id)).set(live_sessions::had_places.eq(true)).execute(tx.conn()).await
}

/// Returns a batch of sessions that are over and not settled.
pub(crate) async fn unsettled(conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> QueryResult<Vec<LiveSessionId>> {
    live_sessions::table
        .filter(live_sessions::settled_at.is_null().and(live_sessions::canceled_at.is_null()))
        .filter(live_sessions::ends_at.le(now))
        .order((live_sessions::ends_at, live_sessions::id))
        .limit(BATCH)
        .select(live_sessions::id)
        .load(conn)
        .await
}

/// Notes that a session is settled, and when it ended.
pub(crate) async fn set_settled(
    tx: &mut Tx,
    id: LiveSessionId,
    ended_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::update(live_sessions::table.find(id))
        .set((live_sessions::settled_at.eq(now), live_sessions::ended_at.eq(ended_at)))
        .execute(tx.conn())
        .await
}

/// Returns a session whose participants are to be reminded, the longest due one, and locks it.
pub(crate) async fn lock_reminded(tx: &mut Tx, now: DateTime<Utc>) -> QueryResult<Option<LiveSession>> {
    live_sessions::table
        .filter(live_sessions::remind_at.le(now))
        .order((live_sessions::remind_at, live_sessions::id))
        .limit(1)
        .select(LiveSession::as_select())
        .for_no_key_update()
        .skip_locked()
        .get_result(tx.conn())
        .await
        .optional()
}

/// Sets when the participants of a session are reminded next.
pub(crate) async fn set_reminder(tx: &mut Tx, id: LiveSessionId, at: Option<DateTime<Utc>>) -> QueryResult<usize> {
    diesel::update(live_sessions::table.find(id)).set(live_sessions::remind_at.eq(at)).execute(tx.conn()).await
}
