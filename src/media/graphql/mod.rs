//! Videos in the schema.

mod caption;
mod playback;
mod video;

use async_graphql::MergedObject;

pub use playback::{PlayableVideo, playable};
pub use video::{VideoObject, video_node};

/// The queries about videos.
#[derive(Default, MergedObject)]
pub struct MediaQuery(video::VideoQuery);

/// What can be done with videos.
#[derive(Default, MergedObject)]
pub struct MediaMutation(video::VideoMutation, caption::CaptionMutation, playback::PlaybackMutation);
