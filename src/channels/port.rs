//! What later features do with channels inside their own transaction.

use super::model::ChannelId;
use super::query::{self, NewChannel, slug};
use crate::accounts::{UserId, user_by_id};
use crate::platform::clock::Clock;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// Returns whether a user teaches in a channel.
///
/// # Errors
/// The database failed.
pub async fn teaches_in(tx: &mut Tx, user: UserId, channel: ChannelId) -> Result<bool, InternalError> {
    Ok(query::teaches_in(tx, user, channel).await?)
}

/// Returns whether a user may edit the courses in a channel because its owner lets members do so.
///
/// # Errors
/// The database failed.
pub async fn edits_courses(tx: &mut Tx, user: UserId, channel: ChannelId) -> Result<bool, InternalError> {
    Ok(query::edits_courses(tx, user, channel).await?)
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
