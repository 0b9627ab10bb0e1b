//! The inputs of administrators' mutations of courses.

use async_graphql::InputObject;

use super::CourseId;
use crate::accounts::UserId;

/// The input of `bulkPublishCourses`.
#[derive(Clone, Debug, InputObject)]
pub struct BulkPublishCoursesInput {
    /// The courses to publish: 1 to 100, each once.
    pub course_ids: Vec<CourseId>,
}

/// The input of `bulkArchiveCourses`.
#[derive(Clone, Debug, InputObject)]
pub struct BulkArchiveCoursesInput {
    /// The courses to archive: 1 to 100, each once.
    pub course_ids: Vec<CourseId>,
}

/// The input of `transferCourse`.
#[derive(Clone, Debug, InputObject)]
pub struct TransferCourseInput {
    /// The course.
    pub course_id: CourseId,
    /// The version that the transfer is based on. If it is stale, nothing is changed and the error is CONFLICT.
    pub version: i32,
    /// The new instructor, who must be an instructor or administrator who is not banned.
    pub instructor_id: UserId,
}
