//! Giving an account up, changing one's mind, and what happens if not.

use serde_json::json;
use uuid::Uuid;

use super::avatar::delete_object;
use super::password::confirm_if_any;
use super::session::{end_recorded, viewer};
use crate::accounts::event::{AccountDeletionScheduled, UserChanged, UserDeleted};
use crate::accounts::model::{CancelAccountDeletionInput, DeleteAccountInput, SessionEnd, User, UserId};
use crate::accounts::query::session::Which;
use crate::accounts::query::{api_token, deletion as query, team as invitation, user};
use crate::accounts::{error, policy};
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client, Role};
use crate::platform::db::Tx;
use crate::platform::fault::Fault;
use crate::platform::jobs;
use crate::platform::outbox;

/// Gives the viewer's account up: all sessions and API tokens end, and it is deleted after a time in which its user, or
/// an administrator, can still keep it. Once more changes nothing, but ends the sessions that have begun since.
///
/// # Errors
/// The password is wrong; the viewer is the last administrator.
pub(crate) async fn give_up(app: &App, actor: &Actor, client: &Client, input: DeleteAccountInput) -> Result<User> {
    let id = viewer(actor)?;
    // Who signs in with another service only has no password; the mail and the time that is left have to do.
    confirm_if_any(app, client, id, input.password, "password").await?;
    let (user, ended) = app
        .db
        .transaction(async |tx| {
            // Those who stay must not go while we look whether there are any; the same order as in a change of role.
            let admin = user::by_id(tx, id).await?.is_some_and(|user| user.role == Role::Admin);
            let admins = if admin { user::lock_admins(tx, app.clock.now()).await? } else { Vec::new() };
            let user = user::lock(tx, id).await?.ok_or_else(error::no_such_user)?;
            let user = match user.deletion_due_at {
                Some(_) => user,
                None if user.role == Role::Admin && admins.iter().all(|admin| *admin == id) => {
                    return Err(error::last_admin_stays());
                }
                None => schedule(tx, app, client, &user).await?,
            };
            let mut ended = end_recorded(tx, app, client, id, Which::All, SessionEnd::AccountGivenUp).await?;
            ended.extend(api_token::revoke_all(tx, id, app.clock.now()).await?);
            Ok((user, ended))
        })
        .await?;
    app.revocations.learn(ended, []);
    Ok(user)
}

async fn schedule(tx: &mut Tx, app: &App, client: &Client, user: &User) -> Result<User> {
    let (id, now) = (user.id, app.clock.now());
    let due_at = now + app.config.deletion_grace;
    let user = query::set_due(tx, id, Some(due_at), now).await?;
    let (actor, details) = (Some(id.uuid()), json!({ "dueAt": due_at }));
    let entry = Entry { action: Action::AccountGivenUp, actor, subject: actor, client, details };
    audit::record(tx.conn(), app.clock.uuid(), now, entry).await?;
    outbox::record(tx, &app.clock, &AccountDeletionScheduled { user_id: id, due_at }).await?;
    outbox::record(tx, &app.clock, &UserChanged { user_id: id }).await?;
    Ok(user)
}

/// Keeps an account that was given up; it need not have been.
///
/// # Errors
/// It is somebody else's and the actor is no administrator; there is no such user (any more).
pub(crate) async fn cancel(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: CancelAccountDeletionInput,
) -> Result<User> {
    let viewer = viewer(actor)?;
    let id = input.user_id.unwrap_or(viewer);
    if !policy::can_step_in_for(actor, id) {
        return Err(Error::Forbidden("Only administrators keep the accounts of others.".into()));
    }
    app.db
        .transaction(async |tx| {
            let user = user::lock(tx, id).await?.ok_or_else(error::no_such_user)?;
            if user.deletion_due_at.is_none() {
                return Ok(user);
            }
            let now = app.clock.now();
            let user = query::set_due(tx, id, None, now).await?;
            let subject = Some(id.uuid());
            let entry = Entry { action: Action::AccountKept, actor: actor.id(), subject, client, details: json!({}) };
            audit::record(tx.conn(), app.clock.uuid(), now, entry).await?;
            outbox::record(tx, &app.clock, &UserChanged { user_id: id }).await?;
            Ok(user)
        })
        .await
}

/// Deletes the accounts whose time is over.
///
/// # Errors
/// The database failed, for at least one: that one is tried again the next time, and does not hold up the others.
pub(crate) async fn delete_due(app: &App) -> std::result::Result<(), Fault> {
    let (mut after, mut deleted, mut failed) = (UserId::new(Uuid::nil()), 0, None);
    loop {
        let due = query::due(&mut *app.db.read().await?, app.clock.now(), after).await?;
        let Some(last) = due.last() else { break };
        after = *last;
        for id in due {
            match delete(app, id).await {
                Ok(done) => deleted += i32::from(done),
                Err(fault) => failed = Some(fault),
            }
        }
    }
    tracing::info!(deleted, "accounts that were given up were deleted");
    failed.map_or(Ok(()), Err)
}

/// Removes the person from an account. The row stays, with what others need it for: who taught a course, to whom an
/// order was sold.
async fn delete(app: &App, id: UserId) -> std::result::Result<bool, Fault> {
    let now = app.clock.now();
    let deleted = app
        .db
        .transaction(async |tx| {
            let user = user::lock(tx, id).await?;
            // Kept, or deleted by another node, a moment ago.
            let Some(user) = user.filter(|user| user.deletion_due_at.is_some_and(|due| due <= now)) else {
                return Ok(None);
            };
            if let Some(key) = &user.avatar_key {
                delete_object(tx, app, key).await?;
            }
            query::remove_belongings(tx, id).await?;
            let deleted = query::anonymise(tx, id, now).await?;
            invitation::delete_by_email(tx, &user.email).await?;
            audit::forget(tx, id.uuid(), &user.email).await?;
            jobs::forget_dead(tx, "user_id", id.uuid()).await?;
            let (client, subject) = (Client::default(), Some(id.uuid()));
            let entry =
                Entry { action: Action::AccountDeleted, actor: None, subject, client: &client, details: json!({}) };
            audit::record(tx.conn(), app.clock.uuid(), now, entry).await?;
            outbox::record(tx, &app.clock, &UserDeleted { user_id: id }).await?;
            outbox::record(tx, &app.clock, &UserChanged { user_id: id }).await?;
            Ok::<_, Fault>(Some(deleted))
        })
        .await?;
    let done = deleted.is_some();
    app.revocations.learn([], deleted.map(|user| (id.uuid(), user.token_version)));
    Ok(done)
}
