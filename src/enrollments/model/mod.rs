//! Enrollments, the inputs of the mutations, and playback.

mod certificate;
mod enrollment;
mod playback;
mod progress;
pub mod ranges;
pub(crate) mod watching;

use async_graphql::InputObject;

use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::graphql::Time;

pub use certificate::{Certificate, CertificateId};
pub use certificate::{RevokeCertificateInput, SetCertificateVisibilityInput};
pub(crate) use certificate::{code_of, normal_code};
pub use enrollment::{Enrollment, EnrollmentId};
pub use enrollment::{EnrollmentFilter, EnrollmentPlace, EnrollmentSort, EnrollmentSortField, EnrollmentState};
pub(crate) use playback::Pass;
pub use playback::{KeepPlayingInput, Playback};
pub(crate) use progress::{Change, Learner, LessonRow, ProgressInput, Save, Watched, What, enough, is_complete};
pub use progress::{
    LessonState, LessonStates, SaveProgressInput, SetLessonCompletedInput, Sum, day_of, published, streak,
};

/// Access to a course, granted by an administrator.
#[derive(Clone, Debug, InputObject)]
pub struct GrantCourseAccessInput {
    /// The user who gets access.
    pub user_id: UserId,
    /// The course.
    pub course_id: CourseId,
    /// When the access expires; permanent if omitted.
    pub expires_at: Option<Time>,
    /// The reason, at most 500 characters, shown to administrators only.
    #[graphql(default)]
    pub reason: String,
}

/// Access to a course, revoked by an administrator.
#[derive(Clone, Debug, InputObject)]
pub struct RevokeCourseAccessInput {
    /// The user who loses access.
    pub user_id: UserId,
    /// The course.
    pub course_id: CourseId,
    /// The reason, at most 500 characters, shown to administrators only.
    #[graphql(default)]
    pub reason: String,
}

/// Access to a course, granted to many users by an administrator.
#[derive(Clone, Debug, InputObject)]
pub struct BulkGrantCourseAccessInput {
    /// The users who get access: 1 to 100, each once.
    pub user_ids: Vec<UserId>,
    /// The course.
    pub course_id: CourseId,
    /// When the access expires; permanent if omitted.
    pub expires_at: Option<Time>,
    /// The reason, at most 500 characters, shown to administrators only.
    #[graphql(default)]
    pub reason: String,
}

/// Access to a course, revoked from many users by an administrator.
#[derive(Clone, Debug, InputObject)]
pub struct BulkRevokeCourseAccessInput {
    /// The users who lose access: 1 to 100, each once.
    pub user_ids: Vec<UserId>,
    /// The course.
    pub course_id: CourseId,
    /// The reason, at most 500 characters, shown to administrators only.
    #[graphql(default)]
    pub reason: String,
}

/// The course to enroll in.
#[derive(Clone, Debug, InputObject)]
pub struct EnrollInput {
    /// The course; it must be free.
    pub course_id: CourseId,
}
