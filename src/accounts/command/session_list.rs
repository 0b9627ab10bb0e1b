//! Commands that list everybody's sessions for administrators.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::accounts::model::{Network, Session, SessionFilter};
use crate::accounts::policy;
use crate::accounts::query::session_list::{self as query, Which};
use crate::graphql::page::Page;
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::auth::Actor;

/// Returns a page of the sessions that match `filter`, newest first, in the page's direction.
///
/// # Errors
/// The actor is not an administrator; the filter has no IP address or network where it should.
pub(crate) async fn all_sessions(
    app: &App,
    actor: &Actor,
    filter: &SessionFilter,
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> Result<Vec<Session>> {
    let which = check(app, actor, filter)?;
    Ok(query::page(&mut *app.db.read().await?, &which, page).await?)
}

/// Returns the number of matching sessions on all pages.
///
/// # Errors
/// As for [`all_sessions`].
pub(crate) async fn count_all_sessions(app: &App, actor: &Actor, filter: &SessionFilter) -> Result<i64> {
    let which = check(app, actor, filter)?;
    Ok(query::count(&mut *app.db.read().await?, &which).await?)
}

fn check<'a>(app: &App, actor: &Actor, filter: &'a SessionFilter) -> Result<Which<'a>> {
    if !policy::can_administer(actor) {
        return Err(Error::Forbidden("Only administrators list the sessions of others.".into()));
    }
    let network = match &filter.ip {
        Some(text) => Some(Network::parse(text).ok_or_else(|| no_network(text))?),
        None => None,
    };
    Ok(Which { filter, network, now: app.clock.now() })
}

fn no_network(text: &str) -> Error {
    let text: String = text.chars().take(64).collect();
    Error::BadInput(format!("{text:?} is neither an IP address nor a network, such as 192.0.2.0/24."))
}
