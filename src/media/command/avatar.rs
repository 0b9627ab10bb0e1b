//! The commands for the pictures of users.

use serde_json::json;

use crate::accounts::{self, User, UserId, viewer};
use crate::graphql::{Error, Result};
use crate::media::error;
use crate::media::model::{FileId, MediaFile, RemoveAvatarInput};
use crate::media::port::show_picture;
use crate::media::query::file as query;
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client};
use crate::platform::db::Tx;

/// Removes a user's picture; does nothing if there is none.
///
/// # Errors
/// The picture is another user's and the actor is not an administrator; there is no such user.
pub async fn remove_avatar(app: &App, actor: &Actor, client: &Client, input: RemoveAvatarInput) -> Result<User> {
    let viewer = viewer(actor)?;
    let id = input.user_id.unwrap_or(viewer);
    if !accounts::can_step_in_for(actor, id) {
        return Err(Error::Forbidden("Only administrators remove the pictures of others.".into()));
    }
    app.db
        .transaction(async |tx| {
            let user = lock(tx, id).await?;
            if user.avatar_id.is_none() {
                return Ok(user);
            }
            if id != viewer {
                let subject = Some(id.uuid());
                let entry =
                    Entry { action: Action::AvatarRemoved, actor: actor.id(), subject, client, details: json!({}) };
                audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await?;
            }
            set(tx, app, &user, None).await
        })
        .await
}

/// Sets the picture of a user to a file of theirs, in the caller's transaction.
///
/// The previous one is deleted by the next sweep.
///
/// # Errors
/// The user or the file does not exist.
pub async fn set_avatar(tx: &mut Tx, app: &App, id: UserId, file: FileId) -> Result<User> {
    let user = lock(tx, id).await?;
    set(tx, app, &user, Some(file)).await
}

async fn lock(tx: &mut Tx, id: UserId) -> Result<User> {
    accounts::lock_user(tx, id).await?;
    accounts::user_by_id(tx, id).await?.ok_or_else(error::no_such_user)
}

async fn set(tx: &mut Tx, app: &App, user: &User, file: Option<FileId>) -> Result<User> {
    let current = user.avatar_id.map(FileId::new);
    let may = |file: &MediaFile| file.owner_id == user.id;
    let shown = show_picture(tx, app, user.id.into(), (current, file), may).await?;
    if file.is_some() && shown.is_none() {
        return Err(error::no_own_file());
    }
    // Nothing else could show it, and nobody shall see it any longer: no grace period.
    if let Some(current) = current.filter(|current| Some(*current) != file) {
        query::end_grace(tx, current, app.clock.now() - app.config.video.grace).await?;
    }
    Ok(accounts::set_avatar(tx, app, user.id, file.map(|file| file.uuid())).await?)
}
