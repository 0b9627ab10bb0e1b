//! Channels in the schema.

mod channel;
mod invitation;
mod mutation;
mod query;

use futures_util::FutureExt;

pub use channel::{ChannelObject, channel_node};

use crate::graphql::{NodeType, RootFields};

/// Returns the types of this feature that implement `Node`.
pub fn nodes() -> Vec<NodeType> {
    vec![NodeType::new(|ctx, id| channel_node(ctx, id).boxed())]
}

/// The channel queries.
pub fn queries() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(query::ChannelsQuery)]
}

/// The channels of the viewer.
pub fn viewer_fields() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(query::ViewerChannels)]
}

/// The channel mutations.
pub fn mutations() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(mutation::ChannelsMutation)]
}
