//! Channels in the schema.

mod channel;
mod mutation;
mod query;

pub use channel::{ChannelObject, channel_node};

use crate::graphql::RootFields;

/// The channel queries.
pub fn queries() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(query::ChannelsQuery)]
}

/// The channel mutations.
pub fn mutations() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(mutation::ChannelsMutation)]
}
