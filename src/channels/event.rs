//! Events of channels.

use serde::{Deserialize, Serialize};

use super::model::ChannelId;
use crate::accounts::UserId;
use crate::platform::outbox::Event;

/// An instructor was invited to teach in a channel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ChannelMemberInvited {
    /// The channel.
    pub channel_id: ChannelId,
    /// The invited user.
    pub user_id: UserId,
    /// The user who sent the invitation.
    pub invited_by: UserId,
}

impl Event for ChannelMemberInvited {
    const KIND: &'static str = "channel_member_invited";
}

/// A channel was deleted. Its followers are still to be removed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ChannelDeleted {
    /// The channel.
    pub channel_id: ChannelId,
}

impl Event for ChannelDeleted {
    const KIND: &'static str = "channel_deleted";
}
