//! The command for the image of a channel.

use crate::channels::{self, Channel};
use crate::graphql::Result;
use crate::graphql::error::Edit;
use crate::media::model::{FileId, SetChannelImageInput, UploadPurpose};
use crate::media::port::{lock_files, refer_to_files};
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
pub(crate) async fn set_channel_image(app: &App, actor: &Actor, input: SetChannelImageInput) -> Result<Edit<Channel>> {
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
            let changed = set_on_channel(tx, app, actor, &channel, input.file_id).await?;
            Ok(Edit::Saved(changed))
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
    let current = channel.image_id.map(FileId::new);
    let ids: Vec<FileId> = file_id.into_iter().chain(current).collect();
    let files = lock_files(tx, &ids).await?;
    if let Some(id) = file_id {
        let may = |owner| policy::owns(actor, owner) || owner == channel.owner_id;
        let file = files.iter().find(|file| file.id == id && may(file.owner_id));
        if file.ok_or_else(error::no_such_file)?.purpose != UploadPurpose::Image {
            return Err(error::no_picture());
        }
    }
    let image = file_id.map(|id| id.uuid());
    let changed = channels::set_image(tx, channel.id, image, app.clock.now()).await?;
    let shown: Vec<FileId> = file_id.into_iter().collect();
    refer_to_files(tx, app, channel.id.into(), &shown).await?;
    Ok(changed)
}
