//! Recent authentication: what could hand an account over to someone else needs more than a session.
//!
//! A session may have been stolen, or left open on someone else's device. Its user confirms that it is still theirs with
//! the password, either in the input of the sensitive mutation or with `reauthenticate`, which counts for
//! [`RECENT`]; so does the sign-in itself.

use chrono::TimeDelta;

use super::password::confirm;
use super::session::signed_in;
use crate::accounts::error;
use crate::accounts::model::{SessionId, User, UserId};
use crate::accounts::query::{session as query, user as users};
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::auth::{Actor, Client};
use crate::platform::db::Tx;

/// How long an authentication counts as recent.
pub(super) const RECENT: TimeDelta = TimeDelta::minutes(15);

/// A session whose user has confirmed that it is theirs.
pub(super) struct Confirmed {
    pub(super) user: UserId,
    session: SessionId,
}

impl Confirmed {
    /// Locks the user. Fails if the session has ended since, for example by a password reset.
    pub(super) async fn lock(&self, tx: &mut Tx, app: &App) -> Result<User> {
        let user = users::lock(tx, self.user).await?.ok_or_else(error::no_such_user)?;
        match query::is_open(tx.conn(), self.session, self.user, app.clock.now()).await? {
            true => Ok(user),
            false => Err(Error::Unauthenticated("The session has ended. Sign in again.".into())),
        }
    }
}

/// Confirms the actor's session by its recent authentication.
///
/// # Errors
/// The actor has no session, or its user has not authenticated recently.
pub(super) async fn confirm_recent(app: &App, actor: &Actor) -> Result<Confirmed> {
    let (user, session) = signed_in(actor)?;
    // Read from the primary database: the user may have authenticated a moment ago.
    let at = query::authenticated_at(app.db.write().await?.conn(), session).await?;
    match at.is_some_and(|at| app.clock.now() < at + RECENT) {
        true => Ok(Confirmed { user, session }),
        false => Err(error::reauthenticate()),
    }
}

/// Confirms the actor's session by the password if it is given, otherwise by its recent authentication.
///
/// # Errors
/// The actor has no session; the password is wrong, or there is none; it is not given, and the user has not
/// authenticated recently.
pub(super) async fn confirm_session(
    app: &App,
    actor: &Actor,
    client: &Client,
    password: Option<String>,
) -> Result<Confirmed> {
    let Some(password) = password else { return confirm_recent(app, actor).await };
    let (user, session) = signed_in(actor)?;
    confirm(app, client, user, password, "password").await?;
    Ok(Confirmed { user, session })
}
