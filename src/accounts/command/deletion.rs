//! Commands that request, cancel and perform the deletion of accounts.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::confirmation::confirm_session;
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
use crate::platform::internal_error::InternalError;
use crate::platform::jobs;
use crate::platform::outbox;

/// Requests the deletion of the viewer's account, and ends all its sessions and API tokens.
///
/// The account is deleted after a grace period, in which its user or an administrator can still keep it. Repeating the
/// request only ends the sessions and tokens that were created since.
///
/// # Errors
/// The session is not confirmed; the viewer is the last administrator.
pub async fn give_up(app: &App, actor: &Actor, client: &Client, input: DeleteAccountInput) -> Result<User> {
    let confirmed = confirm_session(app, actor, client, input.password).await?;
    let id = confirmed.user;
    let (user, ended) = app
        .db
        .transaction(async |tx| {
            // Lock the other administrators, so that they cannot leave concurrently; in the same order as a role
            // change.
            let admin = user::by_id(tx, id).await?.is_some_and(|user| user.role == Role::Admin);
            let admins = if admin { user::lock_admins(tx, app.clock.now()).await? } else { Vec::new() };
            let user = confirmed.lock(tx, app).await?;
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

/// Cancels the deletion of an account; does nothing if none is scheduled.
///
/// # Errors
/// The account is another user's and the actor is not an administrator; there is no such user, or they were deleted.
pub async fn cancel(app: &App, actor: &Actor, client: &Client, input: CancelAccountDeletionInput) -> Result<User> {
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

/// Deletes the accounts whose grace period is over.
///
/// # Errors
/// The database failed for at least one account, which is retried on the next run and does not block the others.
pub(crate) async fn delete_due(app: &App) -> std::result::Result<(), InternalError> {
    let (mut after, mut deleted, mut failed) = (UserId::new(Uuid::nil()), 0, None);
    loop {
        let due = query::due(&mut *app.db.read().await?, app.clock.now(), after).await?;
        let Some(last) = due.last() else { break };
        after = *last;
        for id in due {
            match delete(app, id).await {
                Ok(done) => deleted += i32::from(done),
                Err(error) => failed = Some(error),
            }
        }
    }
    if deleted > 0 {
        tracing::info!(deleted, "accounts that were given up were deleted");
    }
    failed.map_or(Ok(()), Err)
}

/// Anonymizes a batch of the audit entries about a user whose account is due for deletion; returns how many.
async fn forget_entries(tx: &mut Tx, id: UserId, now: DateTime<Utc>) -> std::result::Result<usize, InternalError> {
    match due(tx, id, now).await? {
        Some(user) => audit::forget(tx, id.uuid(), &user.email).await,
        None => Ok(0),
    }
}

/// Locks a user; returns `None` unless their account is due for deletion.
///
/// The deletion may have been canceled, or another node may have deleted the account in the meantime.
async fn due(tx: &mut Tx, id: UserId, now: DateTime<Utc>) -> std::result::Result<Option<User>, InternalError> {
    Ok(user::lock(tx, id).await?.filter(|user| user.deletion_due_at.is_some_and(|due| due <= now)))
}

/// Anonymizes an account. Returns false if it is not due for deletion.
///
/// The row stays, because others refer to it: the author of a course, the buyer of an order.
async fn delete(app: &App, id: UserId) -> std::result::Result<bool, InternalError> {
    let now = app.clock.now();
    // The audit trail may have many entries about the user, so that they are anonymized in batches before the rest.
    while app.db.transaction(async |tx| forget_entries(tx, id, now).await).await? > 0 {}
    let deleted = app
        .db
        .transaction(async |tx| {
            let Some(user) = due(tx, id, now).await? else { return Ok(None) };
            audit::forget(tx, id.uuid(), &user.email).await?;
            query::remove_belongings(tx, id).await?;
            let deleted = query::anonymise(tx, id, now).await?;
            invitation::delete_by_email(tx, &user.email).await?;
            jobs::forget_dead(tx, "user_id", id.uuid()).await?;
            let (client, subject) = (Client::default(), Some(id.uuid()));
            let entry =
                Entry { action: Action::AccountDeleted, actor: None, subject, client: &client, details: json!({}) };
            audit::record(tx.conn(), app.clock.uuid(), now, entry).await?;
            outbox::record(tx, &app.clock, &UserDeleted { user_id: id }).await?;
            outbox::record(tx, &app.clock, &UserChanged { user_id: id }).await?;
            Ok::<_, InternalError>(Some(deleted))
        })
        .await?;
    let done = deleted.is_some();
    app.revocations.learn([], deleted.map(|user| (id.uuid(), user.token_version)));
    Ok(done)
}
