//! Commands that read the audit trail.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::viewer;
use crate::accounts::model::{AuditEntry, AuditFilter, UserId};
use crate::accounts::policy;
use crate::accounts::query::audit as query;
use crate::graphql::page::Page;
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::auth::Actor;

/// Returns a page of the entries that match `filter`, in the page's direction.
///
/// # Errors
/// The actor is not an administrator.
pub(crate) async fn audit_entries(
    app: &App,
    actor: &Actor,
    filter: &AuditFilter,
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> Result<Vec<AuditEntry>> {
    check(actor)?;
    Ok(query::page(&mut *app.db.read().await?, filter, page).await?)
}

/// Returns the number of matching entries on all pages.
///
/// # Errors
/// The actor is not an administrator.
pub(crate) async fn count_audit_entries(app: &App, actor: &Actor, filter: &AuditFilter) -> Result<i64> {
    check(actor)?;
    Ok(query::count(&mut *app.db.read().await?, filter).await?)
}

/// Returns a page of what happened to the viewer's account.
///
/// Where another user acted, the IP address, the user agent and the request id are left out.
///
/// # Errors
/// The caller is not signed in.
pub(crate) async fn security_log(
    app: &App,
    actor: &Actor,
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> Result<Vec<AuditEntry>> {
    let viewer = viewer(actor)?;
    let entries = query::page(&mut *app.db.read().await?, &AuditFilter::about(viewer), page).await?;
    Ok(entries.into_iter().map(|entry| redacted(entry, viewer)).collect())
}

/// Returns the number of entries about the viewer's account on all pages.
///
/// # Errors
/// The caller is not signed in.
pub(crate) async fn count_security_log(app: &App, actor: &Actor) -> Result<i64> {
    let about = AuditFilter::about(viewer(actor)?);
    Ok(query::count(&mut *app.db.read().await?, &about).await?)
}

/// Returns the entry as the actor may see it: administrators the trail, others their own security log.
pub(crate) fn shown(actor: &Actor, entry: AuditEntry) -> Option<AuditEntry> {
    if policy::can_administer(actor) {
        return Some(entry);
    }
    let viewer = entry.subject_id.filter(|subject| actor.is(*subject))?;
    Some(redacted(entry, viewer))
}

/// Removes where another user acted from.
fn redacted(mut entry: AuditEntry, viewer: UserId) -> AuditEntry {
    if entry.actor_id.is_some_and(|actor| actor != viewer) {
        entry.ip = None;
        entry.user_agent.clear();
        entry.request_id = None;
    }
    entry
}

fn check(actor: &Actor) -> Result<()> {
    match policy::can_administer(actor) {
        true => Ok(()),
        false => Err(Error::Forbidden("Only administrators read the audit trail.".into())),
    }
}
