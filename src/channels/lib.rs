//! Channels: names under which one or more instructors teach, and which users can follow.
//!
//! Every instructor has a default channel: it is created after they get the role, or in the transaction of their first
//! course ([`own_channel`]). Channels are public. A channel's owner invites others to teach in it, and decides whether
//! they may edit each other's courses.

use crate as channels;
use lyceum_accounts as accounts;
use lyceum_graphql as graphql;
use lyceum_platform as platform;

pub mod command;
pub mod error;
mod event;
mod job;
pub mod loader;
pub mod model;
mod policy;
mod port;
pub mod query;

pub use command::{
    accept_channel_invitation, add_channel_member, create_channel, decline_channel_invitation, follow_channel,
    import_followers, my_data, remove_channel_member, unfollow_channel, update_channel,
};
pub use job::{handlers, mails};
pub use loader::{
    ChannelById, ChannelsNamed, EditableSince, FollowedSince, FollowerCount, OwnedBy, channel_editors, followed,
    followers_after, is_channel_editor,
};
pub use model::{
    AcceptChannelInvitationInput, AddChannelMemberInput, Channel, ChannelId, ChannelMemberInput, CreateChannelInput,
    DeclineChannelInvitationInput, DeleteChannelInput, FollowChannelInput, RemoveChannelMemberInput,
    UnfollowChannelInput, UpdateChannelInput,
};
pub use port::{
    delete, edits_courses, lock_editable, lock_even_deleted, lock_to_delete, own_channel, remove_images, set_image,
    teaches_in,
};
