//! Channels: names under which one or more instructors teach, and which users can follow.
//!
//! Every instructor has a default channel; [`own_channel`] creates it in the transaction of their first course.
//! Channels are public. A channel's owner decides who else teaches in it.

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
pub use graphql::{ChannelObject, channel_node, mutations, nodes, queries};
pub use job::handlers;
pub use model::{
    AddChannelMemberInput, Channel, ChannelId, CreateChannelInput, FollowChannelInput, RemoveChannelMemberInput,
    UnfollowChannelInput, UpdateChannelInput,
};
pub use port::{own_channel, teaches_in};
