//! The picture of a course.

use async_graphql::InputObject;

use super::CourseId;
use crate::media::FileId;

/// Which picture a course is shown with.
#[derive(Clone, Debug, InputObject)]
pub struct SetCourseThumbnailInput {
    /// Which course.
    pub course_id: CourseId,
    /// The picture: an upload with the purpose IMAGE, yours or the course's instructor's. None if left out: the course
    /// has none then.
    pub file_id: Option<FileId>,
}
