//! [`lyceum_enrollments`], and its part of the schema.

mod graphql;

pub(crate) use graphql::enrollments_of;
pub use graphql::{
    EnrollmentObject, LessonProgress, PlayableVideo, VideoPlayback, mutations, nodes, own_playback, playable, queries,
    viewer_enrollment, viewer_fields, viewer_progress,
};
pub use lyceum_enrollments::*;
