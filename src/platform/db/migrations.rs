//! Migrates the database to the schema version that this program expects.

use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::pg::Pg;
use diesel_async::{AsyncMigrationHarness, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::Db;
use crate::platform::internal_error::{Context, InternalError};

/// The migrations in `migrations/`, compiled into the program.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// The key of the advisory lock that keeps two nodes from migrating at the same time.
///
/// The number is arbitrary, but must not be used for any other advisory lock in the database.
const LOCK: i64 = 0x4c79_6365_756d;

/// How long a migration waits for a lock; it can be run again.
const LOCK_TIMEOUT: &str = "10s";

/// Applies the pending migrations and returns their versions.
///
/// # Errors
/// The database cannot be reached, or a migration failed. Each migration runs in its own transaction.
pub async fn run(db: &Db) -> Result<Vec<String>, InternalError> {
    let mut conn = db.connect().await?;
    // A migration of a big table takes its time. But while it waits for a lock, all later requests for it wait, too.
    conn.batch_execute(&format!(
        "SET statement_timeout = 0; SELECT pg_advisory_lock({LOCK}); SET lock_timeout = '{LOCK_TIMEOUT}'"
    ))
    .await
    .context("cannot lock for migration")?;
    // The end of the connection releases the lock.
    AsyncMigrationHarness::new(conn)
        .run_pending_migrations(MIGRATIONS)
        .map(|versions| versions.iter().map(ToString::to_string).collect())
        .map_err(|error| InternalError::new(format!("a migration failed: {error}")))
}

/// Returns the names of the pending migrations.
///
/// # Errors
/// The database cannot be reached.
pub async fn pending(db: &Db) -> Result<Vec<String>, InternalError> {
    let mut harness = AsyncMigrationHarness::new(db.read().await?);
    let pending = harness
        .pending_migrations(MIGRATIONS)
        .map_err(|error| InternalError::new(format!("cannot compare the migrations: {error}")))?;
    Ok(pending.iter().map(|migration| migration.name().to_string()).collect())
}

/// Returns the versions of applied migrations that this program does not know: a newer one has migrated the database.
///
/// # Errors
/// The database cannot be reached.
pub async fn newer(db: &Db) -> Result<Vec<String>, InternalError> {
    let mut harness = AsyncMigrationHarness::new(db.read().await?);
    let unreadable = |error| InternalError::new(format!("cannot compare the migrations: {error}"));
    let applied = harness.applied_migrations().map_err(unreadable)?;
    let known: Vec<Box<dyn Migration<Pg>>> = MIGRATIONS.migrations().map_err(unreadable)?;
    let is_known = |version: &MigrationVersion<'_>| known.iter().any(|known| known.name().version() == *version);
    Ok(applied.iter().filter(|version| !is_known(version)).map(ToString::to_string).collect())
}

/// Returns the number of migrations compiled into the program.
///
/// # Errors
/// Never in practice: they are compiled in.
pub fn count() -> Result<usize, InternalError> {
    let all: Vec<Box<dyn Migration<Pg>>> =
        MIGRATIONS.migrations().map_err(|error| InternalError::new(format!("unreadable migrations: {error}")))?;
    Ok(all.len())
}
