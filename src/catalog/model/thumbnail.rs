//! The thumbnail of a course.

use async_graphql::InputObject;

use super::CourseId;
use crate::media::FileId;

/// The input of `setCourseThumbnail`.
#[derive(Clone, Debug, InputObject)]
pub struct SetCourseThumbnailInput {
    /// The course.
    pub course_id: CourseId,
    /// The version of the course that the changes are based on. If it is stale, nothing is changed and the error is
    /// CONFLICT.
    pub version: i32,
    /// An upload with the purpose IMAGE, yours or the course's instructor's; administrators may use any. If null or
    /// omitted, the course has no thumbnail.
    pub file_id: Option<FileId>,
}
