//! Commands that read the audit trail.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::accounts::model::{AuditEntry, AuditFilter};
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

fn check(actor: &Actor) -> Result<()> {
    match policy::can_administer(actor) {
        true => Ok(()),
        false => Err(Error::Forbidden("Only administrators read the audit trail.".into())),
    }
}
