//! The audit trail: who did what, from where. Written in the transaction of what it tells of, and never changed but
//! for people who are deleted: that something was done stays, from where it was done does not.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;

use super::auth::Client;
use super::db::Tx;
use super::db::schema::audit_entries;
use super::fault::{Context, Fault};

/// One line of the trail.
#[derive(Debug)]
pub struct Entry<'a> {
    /// What was done, past tense: `signed_in`, `role_changed`.
    pub action: &'static str,
    /// Who did it; `None` when nobody is known to have, as after a wrong password.
    pub actor: Option<Uuid>,
    /// To whom or what.
    pub subject: Option<Uuid>,
    /// From where.
    pub client: &'a Client,
    /// What else there is to know; never a secret.
    pub details: Value,
}

/// Adds a line, on a transaction's connection where there is one.
///
/// # Errors
/// The database failed.
pub async fn record(conn: &mut AsyncPgConnection, id: Uuid, at: DateTime<Utc>, entry: Entry<'_>) -> Result<(), Fault> {
    diesel::insert_into(audit_entries::table)
        .values((
            audit_entries::id.eq(id),
            audit_entries::at.eq(at),
            audit_entries::action.eq(entry.action),
            audit_entries::actor_id.eq(entry.actor),
            audit_entries::subject_id.eq(entry.subject),
            audit_entries::ip.eq(entry.client.ip_text()),
            audit_entries::user_agent.eq(&entry.client.user_agent),
            audit_entries::details.eq(entry.details),
        ))
        .execute(conn)
        .await
        .context("cannot write to the audit trail")?;
    Ok(())
}

/// A line of the trail about somebody, for themselves.
#[derive(Debug, Queryable)]
pub struct Line {
    /// When.
    pub at: DateTime<Utc>,
    /// What was done.
    pub action: String,
    /// By whom.
    pub actor: Option<Uuid>,
    /// From which address.
    pub ip: Option<String>,
    /// With which program.
    pub user_agent: String,
    /// What else there is to know.
    pub details: Value,
}

/// What `person` has done and what was done to them, the latest first, at most `limit` lines.
///
/// # Errors
/// The database failed.
pub async fn about(conn: &mut AsyncPgConnection, person: Uuid, limit: i64) -> Result<Vec<Line>, Fault> {
    audit_entries::table
        .filter(audit_entries::subject_id.eq(person).or(audit_entries::actor_id.eq(person)))
        .order((audit_entries::at.desc(), audit_entries::id.desc()))
        .limit(limit)
        .select((
            audit_entries::at,
            audit_entries::action,
            audit_entries::actor_id,
            audit_entries::ip,
            audit_entries::user_agent,
            audit_entries::details,
        ))
        .load(conn)
        .await
        .context("cannot read the audit trail")
}

/// Leaves of what `person` did, and of what nobody known did to them, only that it was done: no addresses, no
/// programs, no details. What others did, administrators say, is theirs to answer for and stays as it is.
///
/// # Errors
/// The database failed.
pub async fn forget(tx: &mut Tx, person: Uuid) -> Result<(), Fault> {
    let by_nobody = audit_entries::subject_id.eq(person).and(audit_entries::actor_id.is_null());
    diesel::update(audit_entries::table)
        .filter(audit_entries::actor_id.eq(person).or(by_nobody))
        .set((
            audit_entries::ip.eq(None::<String>),
            audit_entries::user_agent.eq(""),
            audit_entries::details.eq(Value::Object(Default::default())),
        ))
        .execute(tx.conn())
        .await
        .context("cannot anonymise the audit trail")?;
    Ok(())
}
