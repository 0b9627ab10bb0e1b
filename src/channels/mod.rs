//! Where courses come from: channels, in which one or more people teach under a name, and which others follow.
//!
//! Every instructor has one from their first course on; [`own_channel`] makes it in the transaction of that course.
//! Everybody sees channels. A channel's owner says who else teaches in it.

mod command;
mod error;
mod graphql;
mod job;
mod loader;
mod model;
mod policy;
mod port;
mod query;

pub use command::{
    add_channel_member, create_channel, follow_channel, my_data, remove_channel_member, unfollow_channel,
    update_channel,
};
pub use graphql::{ChannelObject, channel_node, mutations, queries};
pub use job::handlers;
pub use model::{
    AddChannelMemberInput, Channel, ChannelId, CreateChannelInput, FollowChannelInput, RemoveChannelMemberInput,
    UnfollowChannelInput, UpdateChannelInput,
};
pub use port::{own_channel, teaches_in};
