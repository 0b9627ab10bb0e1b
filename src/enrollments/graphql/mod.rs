//! Enrollments and playback in the schema.

mod bulk;
mod enrollment;
mod mutation;
mod playback;

pub use enrollment::{EnrollmentObject, enrollments_of};
pub use playback::{PlayableVideo, VideoPlayback, own_playback, playable};

use crate::graphql::RootFields;

/// The enrollments of the viewer.
pub fn viewer_fields() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(enrollment::ViewerEnrollments)]
}

/// Returns the mutations of this feature.
pub fn mutations() -> Vec<Box<dyn RootFields>> {
    vec![
        Box::new(mutation::EnrollmentsMutation),
        Box::new(bulk::BulkAccessMutation),
        Box::new(playback::PlaybackMutation),
    ]
}
