//! Enrollments and playback.
//!
//! Students enroll in free courses, administrators grant and revoke access, access expires, and users with access play
//! videos. What a user learns is an [`Enrollment`]: it is made with the first access to a course and stays when that ends.
//! It gives no access: the entitlements do. Players report what is watched, and the
//! same reports give the same progress, however often and in whatever order they come.
//! Who has completed all lessons gets a [`Certificate`], which everybody can verify who has its code.

mod command;
mod error;
mod event;
mod graphql;
mod job;
mod loader;
mod model;
mod query;

pub use command::{
    CertificateFile, CertificateFormat, Piece, Rejection, active_courses, certificate_file, enroll, grant, import,
    import_progress, my_data, piece, students_after,
};
pub use event::CertificateIssued;
pub(crate) use graphql::enrollments_of;
pub use graphql::{
    EnrollmentObject, LessonProgress, PlayableVideo, VideoPlayback, mutations, nodes, own_playback, playable, queries,
    viewer_enrollment, viewer_fields, viewer_progress,
};
pub use job::handlers;
pub use model::{Certificate, CertificateId, EnrollInput, Enrollment, EnrollmentId, GrantCourseAccessInput};
pub(crate) use model::{EnrollmentFilter, EnrollmentSort};
