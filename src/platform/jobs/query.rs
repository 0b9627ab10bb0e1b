//! SQL of jobs.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::data_types::PgInterval;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Interval, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use serde_json::Value;
use uuid::Uuid;

use super::NewJob;
use crate::platform::clock::Clock;
use crate::platform::db::schema::{cron_turns, jobs};
use crate::platform::db::{RunQueryDsl, Tx, Writer, sql_query};

/// How long a lease is valid without renewal.
const LEASE: &str = "interval '30 s'";

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

pub(super) async fn insert(tx: &mut Tx, clock: &Clock, jobs: Vec<NewJob>) -> QueryResult<usize> {
    let ids: Vec<Uuid> = jobs.iter().map(|_| clock.uuid()).collect();
    let (mut handlers, mut payloads, mut keys, mut run_at) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for job in jobs {
        handlers.push(job.handler);
        payloads.push(job.payload);
        keys.push(job.key);
        run_at.push(job.run_at);
    }
    sql_query(
        "INSERT INTO jobs (id, handler, payload, dedupe_key, run_at, created_at) \
         SELECT new.*, $6 FROM unnest($1, $2, $3, $4, $5) AS new ON CONFLICT (dedupe_key) DO NOTHING",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(handlers)
    .bind::<Array<Jsonb>, _>(payloads)
    .bind::<Array<Text>, _>(keys)
    .bind::<Array<Timestamptz>, _>(run_at)
    .bind::<Timestamptz, _>(clock.now())
    .execute(tx.conn())
    .await
}

/// What a worker leases.
pub(super) struct Wanted<'a> {
    /// Whether to lease the jobs of the `long` handlers, or those of all others.
    pub(super) is_long: bool,
    /// The handlers for long jobs.
    pub(super) long: &'a [&'static str],
    /// The jobs that the worker is still running. They must not be started again if their leases have expired because
    /// the worker was suspended or the database was unavailable.
    pub(super) in_hand: &'a [Uuid],
    /// The maximum number of jobs.
    pub(super) limit: i64,
    /// The program's time. A job is due by the clock with which it was scheduled and with which it runs.
    pub(super) now: DateTime<Utc>,
    /// How far a test's clock is ahead.
    pub(super) offset: PgInterval,
}

/// The database's time plus the test clock's offset.
///
/// Leases use one clock, whatever the clocks of the nodes say.
const NOW: &str = "(clock_timestamp() + $1)";

/// Leases due jobs, oldest first. Jobs with a live lease are skipped.
pub(super) async fn lease(writer: &mut Writer, worker: Uuid, wanted: Wanted<'_>) -> QueryResult<Vec<Job>> {
    sql_query(format!(
        "UPDATE jobs SET leased_by = $2, leased_until = {NOW} + {LEASE}, attempts = attempts + 1 WHERE id IN ( \
            SELECT id FROM jobs \
            WHERE dead_at IS NULL AND run_at <= $7 AND (leased_until IS NULL OR leased_until <= {NOW}) \
            AND (handler = ANY ($3)) = $4 AND NOT id = ANY($5) ORDER BY run_at LIMIT $6 FOR NO KEY UPDATE SKIP LOCKED) \
         RETURNING id, handler, payload, attempts, last_error"
    ))
    .bind::<Interval, _>(wanted.offset)
    .bind::<SqlUuid, _>(worker)
    .bind::<Array<Text>, _>(wanted.long)
    .bind::<Bool, _>(wanted.is_long)
    .bind::<Array<SqlUuid>, _>(wanted.in_hand)
    .bind::<BigInt, _>(wanted.limit)
    .bind::<Timestamptz, _>(wanted.now)
    .load(writer.conn())
    .await
}

/// Extends the worker's leases. A job whose lease another worker has taken over stays untouched.
pub(super) async fn renew(writer: &mut Writer, worker: Uuid, ids: &[Uuid], offset: PgInterval) -> QueryResult<usize> {
    sql_query(format!("UPDATE jobs SET leased_until = {NOW} + {LEASE} WHERE leased_by = $2 AND id = ANY ($3)"))
        .bind::<Interval, _>(offset)
        .bind::<SqlUuid, _>(worker)
        .bind::<Array<SqlUuid>, _>(ids)
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

pub(super) async fn replay(tx: &mut Tx, id: Uuid, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(jobs::table.filter(jobs::id.eq(id).and(jobs::dead_at.is_not_null())))
        .set((jobs::dead_at.eq(None::<DateTime<Utc>>), jobs::run_at.eq(now), jobs::attempts.eq(0)))
        .execute(tx.conn())
        .await
}

/// Deletes dead jobs whose payload has `value` under `key`; returns their number.
pub(super) async fn forget_dead(tx: &mut Tx, key: &str, value: Uuid) -> QueryResult<usize> {
    sql_query("DELETE FROM jobs WHERE dead_at IS NOT NULL AND payload->>$1 = $2::text")
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

/// Registers new schedules; the first occurrence of each is the first one after `now`.
pub(super) async fn know_schedules(writer: &mut Writer, names: &[&str], now: DateTime<Utc>) -> QueryResult<usize> {
    let rows: Vec<_> = names.iter().map(|name| (cron_turns::name.eq(*name), cron_turns::last_at.eq(now))).collect();
    diesel::insert_into(cron_turns::table).values(rows).on_conflict_do_nothing().execute(writer.conn()).await
}

/// Returns the last occurrence of each schedule.
pub(super) async fn last_turns(conn: &mut AsyncPgConnection) -> QueryResult<HashMap<String, DateTime<Utc>>> {
    let rows: Vec<(String, DateTime<Utc>)> = cron_turns::table.load(conn).await?;
    Ok(rows.into_iter().collect())
}
