//! Channels, and the inputs of their commands.

use async_graphql::{InputObject, OneofObject};
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};
use uuid::Uuid;

use crate::accounts::UserId;
use crate::graphql::{Entity, Id, Idempotency};
use crate::platform::db::CacheKey;
use crate::platform::db::schema::{channel_invitations, channels};

/// The name of a deleted user's default channel.
pub(crate) const NOBODYS: &str = "Former instructor";

/// A channel's id: `channel_01j…`.
pub type ChannelId = Id<Channel>;

/// A channel: a name under which one or more instructors teach.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = channels, check_for_backend(diesel::pg::Pg))]
pub struct Channel {
    /// The id.
    pub id: ChannelId,
    /// The URL slug; unique.
    pub slug: String,
    /// The name.
    pub name: String,
    /// The description as plain text.
    pub description: String,
    /// The owner, who decides who teaches in the channel.
    pub owner_id: UserId,
    /// Whether it is its owner's default channel.
    pub is_default: bool,
    /// Whether its members may edit the courses in it.
    pub members_edit: bool,
    /// The version; each edit increments it.
    pub version: i32,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// The file of its image.
    pub image_id: Option<Uuid>,
}

impl Entity for Channel {
    const PREFIX: &'static str = "channel";
}

/// The input of `createChannel`.
#[derive(Clone, Debug, InputObject)]
pub struct CreateChannelInput {
    /// The name, 1 to 100 characters.
    pub name: String,
    /// The URL slug: lower-case letters, digits and single hyphens, at most 80 characters. Defaults to one made from
    /// the name.
    pub slug: Option<String>,
    /// The description: plain text, at most 5,000 characters.
    #[graphql(default)]
    pub description: String,
    /// Whether all members may edit the courses in the channel, and not only their instructors. Defaults to false.
    #[graphql(default)]
    pub members_may_edit: bool,
    /// Identifies this request.
    #[graphql(flatten)]
    pub once: Idempotency,
}

/// The input of `updateChannel`. Omitted fields stay unchanged.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateChannelInput {
    /// The channel.
    pub channel_id: ChannelId,
    /// The version that the changes are based on. If it is stale, nothing is changed and the error is CONFLICT.
    pub version: i32,
    /// The name, 1 to 100 characters.
    pub name: Option<String>,
    /// The URL slug: lower-case letters, digits and single hyphens, at most 80 characters.
    pub slug: Option<String>,
    /// The description: plain text, at most 5,000 characters.
    pub description: Option<String>,
    /// Whether all members may edit the courses in the channel, and not only their instructors.
    pub members_may_edit: Option<bool>,
}

/// The input of `addChannelMember`.
#[derive(Clone, Debug, InputObject)]
pub struct AddChannelMemberInput {
    /// The channel.
    pub channel_id: ChannelId,
    /// The user to invite, who must be an instructor or administrator.
    pub member: ChannelMemberInput,
}

/// The user whom `addChannelMember` invites; exactly one of the two.
#[derive(Clone, Debug, OneofObject)]
pub enum ChannelMemberInput {
    /// The id of the user.
    UserId(UserId),
    /// The email address of the user's account.
    Email(String),
}

/// The input of `deleteChannel`.
#[derive(Clone, Debug, InputObject)]
pub struct DeleteChannelInput {
    /// The channel, which has no courses and is not a default channel.
    pub channel_id: ChannelId,
}

/// The input of `acceptChannelInvitation`.
#[derive(Clone, Debug, InputObject)]
pub struct AcceptChannelInvitationInput {
    /// The channel that the viewer was invited to.
    pub channel_id: ChannelId,
}

/// The input of `declineChannelInvitation`.
#[derive(Clone, Debug, InputObject)]
pub struct DeclineChannelInvitationInput {
    /// The channel that the viewer was invited to.
    pub channel_id: ChannelId,
}

/// An invitation to teach in a channel.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = channel_invitations, check_for_backend(diesel::pg::Pg))]
pub struct ChannelInvitation {
    /// The channel.
    pub channel_id: ChannelId,
    /// The user who sent it.
    pub invited_by: UserId,
    /// When it was sent.
    pub invited_at: DateTime<Utc>,
}

/// The input of `removeChannelMember`.
#[derive(Clone, Debug, InputObject)]
pub struct RemoveChannelMemberInput {
    /// The channel.
    pub channel_id: ChannelId,
    /// The member to remove, or the user whose invitation to revoke.
    pub user_id: UserId,
}

/// The input of `followChannel`.
#[derive(Clone, Debug, InputObject)]
pub struct FollowChannelInput {
    /// The channel to follow.
    pub channel_id: ChannelId,
}

/// The input of `unfollowChannel`.
#[derive(Clone, Debug, InputObject)]
pub struct UnfollowChannelInput {
    /// The channel to unfollow.
    pub channel_id: ChannelId,
}

/// The cache key of a channel.
pub(crate) fn channel_key(id: ChannelId) -> CacheKey {
    CacheKey::of(Channel::PREFIX, id.uuid())
}

/// The cache key of a channel slug, whether it is taken or not.
pub(crate) fn slug_key(slug: &str) -> CacheKey {
    CacheKey::of("channel_slug", slug)
}

/// The cache key of the number of a channel's followers.
pub(crate) fn stats_key(id: ChannelId) -> CacheKey {
    CacheKey::of("channel_stats", id.uuid())
}
