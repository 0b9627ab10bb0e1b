//! Invitations to channels in the schema.

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};

use super::channel::{ChannelObject, channel_node};
use crate::accounts::{UserId, UserObject, user_node};
use crate::channels::model::ChannelInvitation;
use crate::graphql::{Entity, Error, Id, Result, Sequential};
use crate::platform::internal_error::InternalError;

/// An invitation in the schema.
#[derive(Clone)]
pub(super) struct ChannelInvitationObject {
    /// The user who is invited.
    pub(super) user: UserId,
    pub(super) row: ChannelInvitation,
}

impl Entity for ChannelInvitationObject {
    const PREFIX: &'static str = "channel_invitation";
}

/// An invitation of the viewer to teach in a channel.
#[Object(name = "ChannelInvitation")]
impl ChannelInvitationObject {
    /// The id of the invitation, unique per user and channel.
    async fn id(&self) -> Id<ChannelInvitationObject> {
        Id::connecting(self.user.uuid(), self.row.channel_id.uuid())
    }

    /// The channel.
    async fn channel(&self, ctx: &Context<'_>) -> Result<Sequential<ChannelObject>> {
        let channel = channel_node(ctx, self.row.channel_id).await?;
        let missing = || Error::from(InternalError::new("the channel of an invitation does not exist"));
        channel.map(Sequential).ok_or_else(missing)
    }

    /// The user who sent the invitation.
    async fn invited_by(&self, ctx: &Context<'_>) -> Result<Sequential<UserObject>> {
        let user = user_node(ctx, self.row.invited_by).await?;
        let missing = || Error::from(InternalError::new("the sender of an invitation does not exist"));
        user.map(Sequential).ok_or_else(missing)
    }

    /// When the invitation was sent.
    async fn sent_at(&self) -> DateTime<Utc> {
        self.row.invited_at
    }
}
