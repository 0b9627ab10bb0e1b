//! What is done with videos.

mod caption;
mod playback;
mod process;
mod video;

pub(super) use caption::{remove_captions, set_captions};
pub use playback::{Refusal, playlist};
pub(super) use playback::{forget_players, keep_playing, play};
pub(super) use process::process;
pub(super) use video::{DELETE_OBJECTS, delete_due, delete_objects, delete_video};
pub use video::{attach, detach, my_data};

use crate::graphql::Result;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;

use super::model::{Video, VideoId};
use super::query::video as query;
use super::{error, policy};

/// Locks a video that the actor may change. Those of others do not exist.
async fn manageable(tx: &mut Tx, actor: &Actor, id: VideoId) -> Result<Video> {
    let video = query::lock(tx, id).await?;
    video.filter(|video| policy::can_manage(actor, video)).ok_or_else(error::no_such_video)
}
