//! The image of a channel.

use async_graphql::InputObject;

use super::FileId;
use crate::channels::ChannelId;

/// The input of `setChannelImage`.
#[derive(Clone, Debug, InputObject)]
pub struct SetChannelImageInput {
    /// The channel.
    pub channel_id: ChannelId,
    /// The version of the channel that the change is based on. If it is stale, nothing is changed and the error is
    /// CONFLICT.
    pub version: i32,
    /// An upload with the purpose IMAGE, yours or the channel owner's; administrators may use any. If null or omitted,
    /// the channel has no image.
    pub file_id: Option<FileId>,
}
