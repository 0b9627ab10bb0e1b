//! SQL of jobs.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use serde_json::Value;
use uuid::Uuid;

use crate::platform::db::schema::{cron_turns, jobs};
use crate::platform::db::{RunQueryDsl, Tx, Writer};

/// A job, for workers and administrators.
#[derive(Clone, Debug, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = jobs, check_for_backend(diesel::pg::Pg))]
pub struct Job {
    /// The id.
    pub id: Uuid,
    /// The name of the handler.
    pub handler: String,
    /// The input of the handler.
    pub payload: Value,
    /// The number of runs that count as attempts, including the current one.
    pub attempts: i32,
    /// The error of the last failure.
    pub last_error: Option<String>,
}

pub(super) async fn insert(
    tx: &mut Tx,
    id: Uuid,
    handler: &str,
    payload: &Value,
    key: &str,
    (now, run_at): (DateTime<Utc>, DateTime<Utc>),
) -> QueryResult<usize> {
    diesel::insert_into(jobs::table)
        .values((
            jobs::id.eq(id),
            jobs::handler.eq(handler),
            jobs::payload.eq(payload),
            jobs::dedupe_key.eq(key),
            jobs::created_at.eq(now),
            jobs::run_at.eq(run_at),
        ))
        .on_conflict(jobs::dedupe_key)
        .do_nothing()
        .execute(tx.conn())
        .await
}

/// Leases up to `limit` due jobs until `until`, oldest first. Jobs with a live lease are skipped.
///
/// Also skips the jobs `in_hand`: a worker whose leases expired (it was suspended, or the database was unavailable)
/// must not start again what it is still running.
pub(super) async fn lease(
    writer: &mut Writer,
    worker: Uuid,
    in_hand: &[Uuid],
    limit: i64,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> QueryResult<Vec<Job>> {
    diesel::sql_query(
        "UPDATE jobs SET leased_by = $1, leased_until = $4, attempts = attempts + 1 WHERE id IN ( \
            SELECT id FROM jobs \
            WHERE dead_at IS NULL AND run_at <= $3 AND (leased_until IS NULL OR leased_until <= $3) \
            AND NOT id = ANY($5) ORDER BY run_at LIMIT $2 FOR UPDATE SKIP LOCKED) \
         RETURNING id, handler, payload, attempts, last_error",
    )
    .bind::<SqlUuid, _>(worker)
    .bind::<BigInt, _>(limit)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(until)
    .bind::<Array<SqlUuid>, _>(in_hand)
    .load(writer.conn())
    .await
}

/// Extends the worker's leases. A job whose lease another worker has taken over stays untouched.
pub(super) async fn renew(writer: &mut Writer, worker: Uuid, ids: &[Uuid], until: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(jobs::table.filter(jobs::id.eq_any(ids).and(jobs::leased_by.eq(worker))))
        .set(jobs::leased_until.eq(until))
        .execute(writer.conn())
        .await
}

pub(super) async fn finish(writer: &mut Writer, worker: Uuid, id: Uuid) -> QueryResult<usize> {
    diesel::delete(jobs::table.filter(jobs::id.eq(id).and(jobs::leased_by.eq(worker)))).execute(writer.conn()).await
}

/// Records a failure: retry at `run_at`, or dead since `dead_at`. Returns false if another worker has the lease.
pub(super) async fn fail(
    tx: &mut Tx,
    worker: Uuid,
    id: Uuid,
    error: &str,
    run_at: DateTime<Utc>,
    dead_at: Option<DateTime<Utc>>,
) -> QueryResult<bool> {
    let failed = diesel::update(jobs::table.filter(jobs::id.eq(id).and(jobs::leased_by.eq(worker))))
        .set((
            jobs::last_error.eq(error),
            jobs::run_at.eq(run_at),
            jobs::dead_at.eq(dead_at),
            jobs::leased_by.eq(None::<Uuid>),
            jobs::leased_until.eq(None::<DateTime<Utc>>),
        ))
        .execute(tx.conn())
        .await?;
    Ok(failed == 1)
}

/// Releases a job until `run_at`; the run does not count as an attempt.
pub(super) async fn postpone(writer: &mut Writer, worker: Uuid, id: Uuid, run_at: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(jobs::table.filter(jobs::id.eq(id).and(jobs::leased_by.eq(worker))))
        .set((
            jobs::attempts.eq(jobs::attempts - 1),
            jobs::run_at.eq(run_at),
            jobs::leased_by.eq(None::<Uuid>),
            jobs::leased_until.eq(None::<DateTime<Utc>>),
        ))
        .execute(writer.conn())
        .await
}

/// Releases the unfinished jobs of a stopping worker. The interrupted runs do not count as attempts.
pub(super) async fn release(writer: &mut Writer, worker: Uuid) -> QueryResult<usize> {
    diesel::update(jobs::table.filter(jobs::leased_by.eq(worker)))
        .set((
            jobs::attempts.eq(jobs::attempts - 1),
            jobs::leased_by.eq(None::<Uuid>),
            jobs::leased_until.eq(None::<DateTime<Utc>>),
        ))
        .execute(writer.conn())
        .await
}

pub(super) async fn replay(writer: &mut Writer, id: Uuid, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(jobs::table.filter(jobs::id.eq(id).and(jobs::dead_at.is_not_null())))
        .set((jobs::dead_at.eq(None::<DateTime<Utc>>), jobs::run_at.eq(now), jobs::attempts.eq(0)))
        .execute(writer.conn())
        .await
}

/// Deletes dead jobs whose payload has `value` under `key`; returns their number.
pub(super) async fn forget_dead(tx: &mut Tx, key: &str, value: Uuid) -> QueryResult<usize> {
    diesel::sql_query("DELETE FROM jobs WHERE dead_at IS NOT NULL AND payload->>$1 = $2::text")
        .bind::<Text, _>(key)
        .bind::<SqlUuid, _>(value)
        .execute(tx.conn())
        .await
}

/// The dead jobs, newest first, at most `limit`.
///
/// # Errors
/// The database failed.
pub async fn dead(conn: &mut AsyncPgConnection, limit: i64) -> QueryResult<Vec<Job>> {
    jobs::table
        .filter(jobs::dead_at.is_not_null())
        .order(jobs::dead_at.desc())
        .limit(limit)
        .select(Job::as_select())
        .load(conn)
        .await
}

/// Claims the occurrence `due` of a schedule; true for the one node that did so first.
pub(super) async fn win_turn(tx: &mut Tx, name: &str, due: DateTime<Utc>) -> QueryResult<bool> {
    let won = diesel::update(cron_turns::table.filter(cron_turns::name.eq(name).and(cron_turns::last_at.lt(due))))
        .set(cron_turns::last_at.eq(due))
        .execute(tx.conn())
        .await?;
    Ok(won == 1)
}

/// Registers a schedule if it is new; its first occurrence is the first one after `now`.
pub(super) async fn know_schedule(writer: &mut Writer, name: &str, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::insert_into(cron_turns::table)
        .values((cron_turns::name.eq(name), cron_turns::last_at.eq(now)))
        .on_conflict_do_nothing()
        .execute(writer.conn())
        .await
}

pub(super) async fn last_turn(conn: &mut AsyncPgConnection, name: &str) -> QueryResult<DateTime<Utc>> {
    cron_turns::table.find(name).select(cron_turns::last_at).first(conn).await
}
