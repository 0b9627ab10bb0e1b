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

pub use command::{Piece, Rejection, my_data, piece};
pub use graphql::{EnrollmentObject, PlayableVideo, enrollments_of, mutations, playable, viewer_fields};
pub use job::handlers;
