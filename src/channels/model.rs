//! Channels as rows, and what commands are given.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};

use crate::accounts::UserId;
use crate::graphql::{Entity, Id};
use crate::platform::db::CacheKey;
use crate::platform::db::schema::channels;

/// The name of the channel of a deleted user.
pub(super) const NOBODYS: &str = "Former instructor";

/// A channel's id: `channel_01j…`.
pub type ChannelId = Id<Channel>;

/// One or more people who teach under a name.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = channels, check_for_backend(diesel::pg::Pg))]
pub struct Channel {
    /// The id.
    pub id: ChannelId,
    /// The name in addresses; unique.
    pub slug: String,
    /// The name.
    pub name: String,
    /// What it is about; plain text.
    pub description: String,
    /// Who says who teaches in it.
    pub owner_id: UserId,
    /// Counts the edits.
    pub version: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Entity for Channel {
    const PREFIX: &'static str = "channel";
}

/// A new channel of the viewer's.
#[derive(Clone, Debug, InputObject)]
pub struct CreateChannelInput {
    /// The name, 1 to 100 characters.
    pub name: String,
    /// The name in addresses: lower-case letters, digits and single hyphens, at most 80. Made from the name if left out.
    pub slug: Option<String>,
    /// What it is about; plain text, at most 5,000 characters.
    #[graphql(default)]
    pub description: String,
}

/// Changes of a channel; what is left out stays as it is.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateChannelInput {
    /// Which channel.
    pub channel_id: ChannelId,
    /// The version that was read, and that these changes are of: another one is a conflict, and nothing is changed.
    pub version: i32,
    /// The name, 1 to 100 characters.
    pub name: Option<String>,
    /// The name in addresses.
    pub slug: Option<String>,
    /// What it is about; plain text, at most 5,000 characters.
    pub description: Option<String>,
}

/// Who is to teach in a channel.
#[derive(Clone, Debug, InputObject)]
pub struct AddChannelMemberInput {
    /// Which channel.
    pub channel_id: ChannelId,
    /// Who; an instructor.
    pub user_id: UserId,
}

/// Who is no longer to teach in a channel.
#[derive(Clone, Debug, InputObject)]
pub struct RemoveChannelMemberInput {
    /// Which channel.
    pub channel_id: ChannelId,
    /// Who.
    pub user_id: UserId,
}

/// The channel to follow.
#[derive(Clone, Debug, InputObject)]
pub struct FollowChannelInput {
    /// Which channel.
    pub channel_id: ChannelId,
}

/// The channel to follow no longer.
#[derive(Clone, Debug, InputObject)]
pub struct UnfollowChannelInput {
    /// Which channel.
    pub channel_id: ChannelId,
}

/// The cache key of a channel.
pub(super) fn channel_key(id: ChannelId) -> CacheKey {
    CacheKey::of(Channel::PREFIX, id.uuid())
}

/// The cache key of a channel's slug, used or not.
pub(super) fn slug_key(slug: &str) -> CacheKey {
    CacheKey::of("channel_slug", slug)
}

/// The cache key of the number of a channel's followers.
pub(super) fn stats_key(id: ChannelId) -> CacheKey {
    CacheKey::of("channel_stats", id.uuid())
}
