//! The mutation of a channel's image.
//!
//! It belongs to this feature because channels come before media in the order of features: they know of no files.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use crate::channels::ChannelObject;
use crate::graphql::context::{actor, app};
use crate::graphql::error::edit_payload;
use crate::graphql::guard::{Requires, Role, requires};
use crate::graphql::{Result, Sequential, UserError};
use crate::media::command;
use crate::media::model::SetChannelImageInput;

/// The payload of `setChannelImage`.
#[derive(SimpleObject)]
pub(super) struct SetChannelImagePayload {
    /// The channel in its current state; null if there are `userErrors`, except with CONFLICT.
    channel: Option<Sequential<ChannelObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The mutation of a channel's image.
#[derive(Default)]
pub(super) struct ChannelImageMutation;

#[Object]
impl ChannelImageMutation {
    /// Sets or removes the image of a channel. The viewer must own the channel or be an administrator. A file that is no
    /// longer used is deleted after a grace period.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn set_channel_image(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The channel and the image file.")] input: SetChannelImageInput,
    ) -> Result<Option<Sequential<SetChannelImagePayload>>> {
        let (row, user_errors) = edit_payload(command::set_channel_image(app(ctx), actor(ctx), input).await)?;
        let channel = row.map(|row| Sequential(ChannelObject(Arc::new(row))));
        Ok(Some(Sequential(SetChannelImagePayload { channel, user_errors })))
    }
}
