//! Enrollments and playback.
//!
//! Students enroll in free courses, administrators grant and revoke access, access expires, and users with access play
//! videos.

mod command;
mod error;
mod graphql;
mod job;
mod model;
mod query;

pub use command::{Piece, Rejection, enroll, grant, import, my_data, piece};
pub use graphql::{
    EnrollmentObject, PlayableVideo, VideoPlayback, enrollments_of, mutations, own_playback, playable, viewer_fields,
};
pub use job::handlers;
pub use model::{EnrollInput, GrantCourseAccessInput};
