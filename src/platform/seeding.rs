//! Whether the database has demo content, all of it or a part, and the removal of everything in it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use serde_json::Value;

use super::db::schema::seeding;
use super::db::{Db, RunQueryDsl, Writer};
use super::internal_error::{Context, InternalError};

/// The demo content of a database.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = seeding, check_for_backend(diesel::pg::Pg))]
pub struct Seeding {
    /// How much of it there is to be.
    pub plan: Value,
    /// When all of it was there; `None` while it is incomplete.
    pub ended_at: Option<DateTime<Utc>>,
}

/// The key of the advisory lock for seeding. The number is arbitrary, but must not be used for another one.
const LOCK: i64 = 0x4c79_5365_6564;

/// Waits until no other process seeds the database; none does until the returned value is dropped.
///
/// # Errors
/// The database failed.
pub async fn lock(db: &Db) -> Result<Locked, InternalError> {
    let mut conn = db.connect().await?;
    let sql = format!("SET statement_timeout = 0; SELECT pg_advisory_lock({LOCK})");
    conn.batch_execute(&sql).await.context("cannot lock for seeding")?;
    Ok(Locked(conn))
}

/// The lock for seeding, which ends with its connection: also when this process is killed.
pub struct Locked(#[allow(dead_code, reason = "it is dropped")] AsyncPgConnection);

/// Returns the demo content of the database; `None` if there is none.
///
/// # Errors
/// The database failed.
pub async fn find(conn: &mut AsyncPgConnection) -> QueryResult<Option<Seeding>> {
    seeding::table.select(Seeding::as_select()).first(conn).await.optional()
}

/// Notes that demo content is about to be created. If that was begun before, the earlier plan stays.
///
/// # Errors
/// The database failed.
pub async fn begin(writer: &mut Writer, plan: &Value, now: DateTime<Utc>) -> QueryResult<Seeding> {
    diesel::insert_into(seeding::table)
        .values((seeding::plan.eq(plan), seeding::started_at.eq(now)))
        .on_conflict_do_nothing()
        .execute(writer.conn())
        .await?;
    seeding::table.select(Seeding::as_select()).first(writer.conn()).await
}

/// Notes that all of the demo content is there.
///
/// # Errors
/// The database failed.
pub async fn end(writer: &mut Writer, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(seeding::table).set(seeding::ended_at.eq(now)).execute(writer.conn()).await
}

/// Deletes everything in the database: tables, functions, data. The next migration starts from nothing.
///
/// # Errors
/// The database failed, or another process uses the tables and did not let go of them.
pub async fn delete_everything(writer: &mut Writer) -> Result<(), InternalError> {
    let sql = "BEGIN; SET LOCAL lock_timeout = '10s'; DO $$ DECLARE place text := current_schema(); BEGIN
        EXECUTE format('DROP SCHEMA %I CASCADE', place);
        EXECUTE format('CREATE SCHEMA %I', place);
    END $$; COMMIT";
    writer.conn().batch_execute(sql).await.context("cannot empty the database")
}
