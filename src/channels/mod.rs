//! [`lyceum_channels`], and its part of the schema.

mod graphql;

pub use graphql::{ChannelObject, channel_node, mutations, nodes, queries, viewer_fields};
pub use lyceum_channels::*;
