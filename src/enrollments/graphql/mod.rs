//! Enrollments and playback in the schema.

mod enrollment;
mod mutation;
mod playback;

pub use playback::{PlayableVideo, playable};

use crate::graphql::RootFields;

/// Returns the queries of this feature.
pub fn queries() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(enrollment::EnrollmentsQuery)]
}

/// Returns the mutations of this feature.
pub fn mutations() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(mutation::EnrollmentsMutation), Box::new(playback::PlaybackMutation)]
}
