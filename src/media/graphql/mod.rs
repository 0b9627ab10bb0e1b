//! Videos and files in the schema.

mod caption;
mod file;
mod playback;
mod upload;
mod upload_mutation;
mod upload_query;
mod upload_subscription;
mod video;
mod video_subscription;

use async_graphql::{MergedObject, MergedSubscription};

pub use file::{MediaFileObject, file_node};
pub use playback::{PlayableVideo, playable};
pub use video::{VideoObject, video_node};

/// The queries about videos.
#[derive(Default, MergedObject)]
pub struct MediaQuery(video::VideoQuery, upload_query::UploadQuery);

/// What can be done with videos.
#[derive(Default, MergedObject)]
pub struct MediaMutation(
    upload_mutation::UploadMutation,
    video::VideoMutation,
    caption::CaptionMutation,
    playback::PlaybackMutation,
);

/// What is pushed of videos.
#[derive(Default, MergedSubscription)]
pub struct MediaSubscription(upload_subscription::UploadSubscription, video_subscription::VideoSubscription);
