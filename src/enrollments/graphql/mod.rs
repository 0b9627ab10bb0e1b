//! Enrollments and playback in the schema.

mod bulk;
mod certificate;
mod enrollment;
mod mutation;
mod playback;
mod progress;

pub(crate) use enrollment::enrollments_of;
pub use enrollment::{EnrollmentObject, viewer_enrollment};
pub use playback::{PlayableVideo, VideoPlayback, own_playback, playable};
pub use progress::{LessonProgress, viewer_progress};

use futures_util::FutureExt;

use crate::graphql::{NodeType, RootFields};

/// Returns the types of this feature that implement `Node`.
pub fn nodes() -> Vec<NodeType> {
    vec![
        NodeType::new(|ctx, id| enrollment::enrollment_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| certificate::certificate_node(ctx, id).boxed()),
    ]
}

/// The certificate queries.
pub fn queries() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(certificate::CertificateQuery)]
}

/// The enrollments and certificates of the viewer.
pub fn viewer_fields() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(enrollment::ViewerEnrollments), Box::new(certificate::ViewerCertificates)]
}

/// Returns the mutations of this feature.
pub fn mutations() -> Vec<Box<dyn RootFields>> {
    vec![
        Box::new(mutation::EnrollmentsMutation),
        Box::new(bulk::BulkAccessMutation),
        Box::new(playback::PlaybackMutation),
        Box::new(progress::ProgressMutation),
        Box::new(certificate::CertificateMutation),
    ]
}
