//! Deletes rows that are no longer needed, in batches.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::Timestamptz;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::App;
use super::db::{RunQueryDsl, Writer, sql_query};
use super::internal_error::InternalError;
use super::jobs::Handler;

/// The maximum number of rows in a batch, which is deleted well within the statement timeout.
const BATCH: usize = 1000;

/// The timeout of one run of a job that deletes old rows. The next run continues.
pub const TIMEOUT: Duration = Duration::from_secs(600);

/// The rows of one table that a job deletes when they are old.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// The table.
    pub table: &'static str,
    /// The column with the time of a row, which must have an index.
    pub time: &'static str,
    /// The SQL condition for rows to delete, whatever their age.
    pub only: &'static str,
}

impl Retention {
    /// Returns the retention of all rows of `table` by their `time`.
    pub const fn new(table: &'static str, time: &'static str) -> Retention {
        Retention { table, time, only: "true" }
    }

    /// Deletes all rows with a time up to `before`; returns their number.
    ///
    /// Each batch is committed on its own, so an interrupted run keeps its progress, and gives back its connection, so
    /// that requests do not wait for a long run. When the application stops, the next run continues.
    ///
    /// # Errors
    /// The database failed.
    async fn delete(&self, app: &App, before: DateTime<Utc>) -> Result<usize, InternalError> {
        let mut deleted = 0;
        loop {
            let batch = self.delete_batch(&mut app.db.write().await?, before).await?;
            deleted += batch;
            if batch == 0 || app.stopping.is_cancelled() {
                break;
            }
        }
        if deleted > 0 {
            tracing::info!(table = self.table, deleted, "old rows were deleted");
        }
        Ok(deleted)
    }

    async fn delete_batch(&self, writer: &mut Writer, before: DateTime<Utc>) -> diesel::QueryResult<usize> {
        let Retention { table, time, only } = self;
        // The order makes PostgreSQL use the index, so that a run that finds nothing does not read the table.
        sql_query(format!(
            "DELETE FROM {table} WHERE ctid = ANY (ARRAY( \
                SELECT ctid FROM {table} WHERE {time} <= $1 AND {only} ORDER BY {time} LIMIT {BATCH}))"
        ))
        .bind::<Timestamptz, _>(before)
        .execute(writer.conn())
        .await
    }
}

/// Events of the log that were pushed to all subscribers.
const EVENTS: Retention = Retention { only: "pushed_at IS NOT NULL", ..Retention::new("events", "recorded_at") };
/// Jobs that failed too often.
const DEAD_JOBS: Retention = Retention::new("jobs", "dead_at");
/// Incoming webhooks.
const INBOX: Retention = Retention::new("inbox", "received_at");
/// Entries of the audit trail.
const AUDIT: Retention = Retention::new("audit_entries", "at");

/// How far back a subscriber can resume.
const LOG_AGE: TimeDelta = TimeDelta::days(30);
/// How long a dead job can be replayed, and how long a webhook that is sent again is recognized.
const DEAD_AGE: TimeDelta = TimeDelta::days(90);

/// Runs a job that deletes rows of these kinds that are older than `age`.
pub fn delete(app: App, kinds: &'static [Retention], age: TimeDelta) -> BoxFuture<'static, Result<(), InternalError>> {
    async move {
        for kind in kinds {
            kind.delete(&app, app.clock.now() - age).await?;
        }
        Ok(())
    }
    .boxed()
}

/// Returns the jobs that delete old rows of the platform's own tables.
pub fn handlers() -> Vec<Handler> {
    vec![
        Handler::scheduled("outbox.forget", "17 3 * * *", TIMEOUT, |app, _| delete(app, &[EVENTS], LOG_AGE)),
        Handler::scheduled("jobs.forget", "19 3 * * *", TIMEOUT, |app, _| delete(app, &[DEAD_JOBS], DEAD_AGE)),
        Handler::scheduled("inbox.forget", "21 3 * * *", TIMEOUT, |app, _| delete(app, &[INBOX], DEAD_AGE)),
        Handler::scheduled("audit.forget", "23 3 * * *", TIMEOUT, |app, _| {
            let age = app.config.audit_age;
            delete(app, &[AUDIT], age)
        }),
    ]
}
