//! Videos and files in the schema.

mod avatar;
mod caption;
mod channel_image;
mod file;
mod image;
mod upload;
mod upload_mutation;
mod upload_query;
mod upload_subscription;
mod video;
mod video_subscription;

use async_graphql::MergedSubscription;
use futures_util::FutureExt;

pub use file::{MediaFileObject, file_node};
pub use image::image;
pub use video::{VideoObject, video_node};

use crate::graphql::{NodeType, RootFields};

/// Returns the types of this feature that implement `Node`.
pub fn nodes() -> Vec<NodeType> {
    vec![
        NodeType::new(|ctx, id| video_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| file_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| upload_query::upload_node(ctx, id).boxed()),
    ]
}

/// The media queries.
pub fn queries() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(video::VideoQuery), Box::new(upload_query::UploadQuery)]
}

/// The media of the viewer.
pub fn viewer_fields() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(video::ViewerVideos), Box::new(file::ViewerFiles), Box::new(upload_query::ViewerUploads)]
}

/// The media mutations.
pub fn mutations() -> Vec<Box<dyn RootFields>> {
    vec![
        Box::new(upload_mutation::UploadMutation),
        Box::new(video::VideoMutation),
        Box::new(caption::CaptionMutation),
        Box::new(file::FileMutation),
        Box::new(channel_image::ChannelImageMutation),
        Box::new(avatar::AvatarMutation),
    ]
}

/// The media subscriptions.
#[derive(Default, MergedSubscription)]
pub struct MediaSubscription(upload_subscription::UploadSubscription, video_subscription::VideoSubscription);
