//! Inputs that reorder an outline or delete its parts.

use async_graphql::InputObject;

use super::{CourseId, LessonId, SectionId};

/// The input of `reorderCourse`: the whole outline of a course in its new order.
#[derive(Clone, Debug, InputObject)]
pub struct ReorderCourseInput {
    /// The course.
    pub course_id: CourseId,
    /// The version of the course that the changes are based on. If it is stale, nothing is changed and the error is
    /// CONFLICT.
    pub version: i32,
    /// All sections of the course in their new order, each exactly once.
    pub sections: Vec<SectionOrderInput>,
}

/// A section and its lessons in their new order.
#[derive(Clone, Debug, InputObject)]
pub struct SectionOrderInput {
    /// The section.
    pub section_id: SectionId,
    /// The lessons of the section in their new order. They may come from other sections; each lesson of the course must
    /// be in exactly one section.
    pub lesson_ids: Vec<LessonId>,
}

/// The input of `deleteSection`.
#[derive(Clone, Debug, InputObject)]
pub struct DeleteSectionInput {
    /// The section to delete.
    pub section_id: SectionId,
}

/// The input of `deleteLesson`.
#[derive(Clone, Debug, InputObject)]
pub struct DeleteLessonInput {
    /// The lesson to delete.
    pub lesson_id: LessonId,
}
