//! Enrollments and playback.
//!
//! Students enroll in free courses, administrators grant and revoke access, access expires, and users with access play
//! videos. What a user learns is an [`Enrollment`]: it is made with the first access to a course and stays when that ends.
//! It gives no access: the entitlements do. Players report what is watched, and the
//! same reports give the same progress, however often and in whatever order they come.
//! Who has completed all lessons gets a [`Certificate`], which everybody can verify who has its code.

use crate as enrollments;
use lyceum_accounts as accounts;
use lyceum_catalog as catalog;
use lyceum_channels as channels;
use lyceum_entitlements as entitlements;
use lyceum_graphql as graphql;
use lyceum_media as media;
use lyceum_platform as platform;

pub mod command;
pub mod error;
mod event;
mod job;
pub mod loader;
pub mod model;
mod query;

pub use command::{
    CertificateFile, CertificateFormat, Piece, Rejection, active_courses, certificate_file, enroll, grant, import,
    import_progress, my_data, piece, students_after,
};
pub use event::CertificateIssued;
pub use job::handlers;
pub use model::{
    Certificate, CertificateId, EnrollInput, Enrollment, EnrollmentFilter, EnrollmentId, EnrollmentSort,
    GrantCourseAccessInput,
};
