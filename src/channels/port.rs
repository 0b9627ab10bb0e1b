//! What later features do with channels inside their own transaction.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::event::ChannelDeleted;
use super::model::{Channel, ChannelId};
use super::query::{self, NewChannel, slug};
use super::{error, policy};
use crate::accounts::{UserId, user_by_id};
use crate::graphql::{self, Error};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client};
use crate::platform::clock::Clock;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

/// Returns whether a user teaches in a channel, and prevents its deletion until the transaction ends.
///
/// # Errors
/// The database failed.
pub async fn teaches_in(tx: &mut Tx, user: UserId, channel: ChannelId) -> Result<bool, InternalError> {
    Ok(query::hold(tx, channel).await?.is_some() && query::teaches_in(tx, user, channel).await?)
}

/// Locks a channel that the actor may delete; waits for all who hold it.
///
/// # Errors
/// There is no such channel; it is a default channel; the actor may not change it.
pub async fn lock_to_delete(tx: &mut Tx, actor: &Actor, id: ChannelId) -> graphql::Result<Channel> {
    let channel = query::lock_to_delete(tx, id).await?.ok_or_else(error::no_such_channel)?;
    if !policy::can_edit(actor, &channel) {
        return Err(error::not_yours());
    }
    if channel.is_default { Err(error::default_stays()) } else { Ok(channel) }
}

/// Deletes a locked channel without courses, with its members and invitations. A job removes its followers.
///
/// # Errors
/// The database failed.
pub async fn delete(
    tx: &mut Tx,
    app: &App,
    (actor, client): (&Actor, &Client),
    channel: &Channel,
) -> Result<(), InternalError> {
    let now = app.clock.now();
    query::delete(tx, channel, now).await?;
    let details = json!({ "channelId": channel.id.encode(), "name": channel.name, "slug": channel.slug });
    let (action, subject) = (Action::ChannelDeleted, Some(channel.owner_id.uuid()));
    let entry = Entry { action, actor: actor.id(), subject, client, details };
    audit::record(tx.conn(), app.clock.uuid(), now, entry).await?;
    outbox::record(tx, &app.clock, &ChannelDeleted { channel_id: channel.id }).await?;
    Ok(())
}

/// Returns whether a user may edit the courses in a channel because its owner lets members do so.
///
/// # Errors
/// The database failed.
pub async fn edits_courses(tx: &mut Tx, user: UserId, channel: ChannelId) -> Result<bool, InternalError> {
    Ok(query::edits_courses(tx, user, channel).await?)
}

/// Locks a channel that the actor may change.
///
/// # Errors
/// There is no such channel; the actor may not change it.
pub async fn lock_editable(tx: &mut Tx, actor: &Actor, id: ChannelId) -> Result<Channel, Error> {
    let channel = query::lock(tx, id).await?.ok_or_else(error::no_such_channel)?;
    if policy::can_edit(actor, &channel) { Ok(channel) } else { Err(error::not_yours()) }
}

/// Locks a channel, also one that is deleted: what it has earned is still its owner's.
///
/// # Errors
/// There was never such a channel.
pub async fn lock_even_deleted(tx: &mut Tx, id: ChannelId) -> Result<Channel, Error> {
    query::deleted::lock(tx, id).await?.ok_or_else(error::no_such_channel)
}

/// Sets or removes the file of a channel's image. The channel must be locked.
///
/// # Errors
/// The database failed.
pub async fn set_image(
    tx: &mut Tx,
    id: ChannelId,
    file: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<Channel, InternalError> {
    Ok(query::set_image(tx, id, file, now).await?)
}

/// Removes the image of a user's default channel, whose name is theirs; returns the channel if it had one.
///
/// # Errors
/// The database failed.
pub async fn remove_images(tx: &mut Tx, owner: UserId, now: DateTime<Utc>) -> Result<Vec<ChannelId>, InternalError> {
    Ok(query::remove_images(tx, owner, now).await?)
}

/// Returns the user's default channel, which is created if it does not exist yet.
///
/// Courses for which no channel was chosen are in it.
///
/// # Errors
/// The database failed, or there is no such user.
pub async fn own_channel(tx: &mut Tx, clock: &Clock, owner: UserId) -> Result<ChannelId, InternalError> {
    if let Some(id) = query::default_of(tx, owner).await? {
        return Ok(id);
    }
    let user =
        user_by_id(tx, owner).await?.ok_or_else(|| InternalError::new("the owner of a channel does not exist"))?;
    let name: String = user.name.chars().take(100).collect();
    let base = slug::slug_base(&name);
    for number in 1_u64.. {
        let chosen = if number == 1 { base.clone() } else { format!("{base}-{number}") };
        let new = NewChannel {
            slug: &chosen,
            name: &name,
            description: "",
            owner_id: owner,
            is_default: true,
            members_edit: false,
        };
        if let Some(channel) = query::insert(tx, clock, &new).await? {
            return Ok(channel.id);
        }
        // Another channel has the slug, or another transaction has created the owner's default channel.
        if let Some(id) = query::default_of(tx, owner).await? {
            return Ok(id);
        }
    }
    Err(InternalError::new("there is no free slug for a channel"))
}
