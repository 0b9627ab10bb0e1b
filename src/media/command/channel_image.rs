//! The command for the image of a channel.

use crate::channels::{self, Channel};
use crate::graphql::Result;
use crate::graphql::error::Edit;
use crate::media::model::{FileId, MediaFile, SetChannelImageInput, UploadPurpose};
use crate::media::port::show_picture;
use crate::media::{error, policy};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;

/// Sets or removes the image of a channel.
///
/// A file that is no longer referenced is deleted after the grace period.
///
/// # Errors
/// The file does not exist, belongs to neither the actor nor the channel's owner, or was not uploaded as an image; the
/// actor may not change the channel.
pub async fn set_channel_image(app: &App, actor: &Actor, input: SetChannelImageInput) -> Result<Edit<Channel>> {
    app.db
        .transaction(async |tx| {
            let channel = channels::lock_editable(tx, actor, input.channel_id).await?;
            if channel.version != input.version {
                return Ok(Edit::Conflict { version: channel.version, current: channel });
            }
            let current = channel.image_id.map(FileId::new);
            if current == input.file_id {
                return Ok(Edit::Saved(channel));
            }
            set_on_channel(tx, app, actor, &channel, input.file_id).await.map(Edit::Saved)
        })
        .await
}

/// Sets or removes the image of a locked channel, in the caller's transaction and whatever the channel's version.
///
/// # Errors
/// The file does not exist, belongs to neither the actor nor the channel's owner, or was not uploaded as an image.
pub async fn set_on_channel(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    channel: &Channel,
    file_id: Option<FileId>,
) -> Result<Channel> {
    let may = |file: &MediaFile| policy::owns(actor, file.owner_id) || file.owner_id == channel.owner_id;
    let ids = (channel.image_id.map(FileId::new), file_id);
    let file = match (file_id, show_picture(tx, app, channel.id.into(), ids, may).await?) {
        (Some(_), None) => return Err(error::no_such_file()),
        (_, Some(file)) if file.purpose != UploadPurpose::Image => return Err(error::no_picture()),
        (_, file) => file,
    };
    let image = file.map(|file| file.id.uuid());
    Ok(channels::set_image(tx, channel.id, image, app.clock.now()).await?)
}
