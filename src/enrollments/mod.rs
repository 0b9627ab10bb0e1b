//! Enrollments and playback.
//!
//! Students enroll in free courses, administrators grant and revoke access, access expires, and users with access play
//! videos. What a user learns is an [`Enrollment`]: it is made with the first access to a course and stays when that ends.
//! It gives no access: the entitlements do. Players report what is watched, and the
//! same reports give the same progress, however often and in whatever order they come.

mod command;
mod error;
mod graphql;
mod job;
mod loader;
mod model;
mod query;

pub use command::{Piece, Rejection, enroll, grant, my_data, piece};
pub(crate) use graphql::enrollments_of;
pub use graphql::{
    EnrollmentObject, LessonProgress, PlayableVideo, VideoPlayback, mutations, nodes, own_playback, playable,
    viewer_enrollment, viewer_fields, viewer_progress,
};
pub use job::handlers;
pub use model::{EnrollInput, Enrollment, EnrollmentId, GrantCourseAccessInput};
pub(crate) use model::{EnrollmentFilter, EnrollmentSort};
