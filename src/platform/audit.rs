//! The audit trail: who did what, from where. Written in the transaction of what it tells of, never changed.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, PgExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;

use super::auth::Client;
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

/// Whether there is such a line since `since`: the same action, subject, details and address.
///
/// # Errors
/// The database failed.
pub async fn is_recorded(conn: &mut AsyncPgConnection, since: DateTime<Utc>, entry: &Entry<'_>) -> Result<bool, Fault> {
    let same = audit_entries::table
        .filter(audit_entries::subject_id.is_not_distinct_from(entry.subject))
        .filter(audit_entries::at.gt(since))
        .filter(audit_entries::action.eq(entry.action))
        .filter(audit_entries::ip.is_not_distinct_from(entry.client.ip_text()))
        .filter(audit_entries::details.eq(&entry.details))
        .select(audit_entries::id);
    diesel::select(diesel::dsl::exists(same)).get_result(conn).await.context("cannot read the audit trail")
}
