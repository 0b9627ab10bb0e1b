//! The command that deletes a channel, which must not have courses.

use crate::catalog::error;
use crate::catalog::query::course as query;
use crate::channels::{self, ChannelId, DeleteChannelInput};
use crate::graphql::Result;
use crate::platform::App;
use crate::platform::auth::{Actor, Client};

/// Deletes a channel without courses.
///
/// # Errors
/// There is no such channel; it is a default channel or has courses; the actor may not change it.
pub async fn delete_channel(app: &App, actor: &Actor, client: &Client, input: DeleteChannelInput) -> Result<ChannelId> {
    app.db
        .transaction(async |tx| {
            // Waits for those who are about to put a course into the channel; others find no channel later.
            let channel = channels::lock_to_delete(tx, actor, input.channel_id).await?;
            if query::is_in_channel(tx, channel.id).await? {
                return Err(error::channel_in_use());
            }
            channels::delete(tx, app, (actor, client), &channel).await?;
            Ok(channel.id)
        })
        .await
}
