//! Channels in the schema.

mod channel;
mod mutation;
mod query;

pub use channel::{ChannelObject, channel_node};
pub use mutation::ChannelsMutation;
pub use query::ChannelsQuery;
