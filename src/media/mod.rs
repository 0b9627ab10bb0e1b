//! [`lyceum_media`], and its part of the schema.

mod graphql;

pub use graphql::{
    MediaFileObject, MediaSubscription, VideoObject, file_node, image, mutations, nodes, queries, video_node,
    viewer_fields,
};
pub use lyceum_media::*;
