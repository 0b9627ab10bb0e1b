//! The order of an outline, and what is taken out of it.

use async_graphql::InputObject;

use super::{CourseId, LessonId, SectionId};

/// The whole outline of a course in its new order.
#[derive(Clone, Debug, InputObject)]
pub struct ReorderCourseInput {
    /// Which course.
    pub course_id: CourseId,
    /// All of its sections, each once.
    pub sections: Vec<SectionOrderInput>,
}

/// A section in its new place.
#[derive(Clone, Debug, InputObject)]
pub struct SectionOrderInput {
    /// Which section.
    pub section_id: SectionId,
    /// Its lessons in their new order. They may come from other sections; each lesson of the course stands in one
    /// section.
    pub lesson_ids: Vec<LessonId>,
}

/// The section to delete.
#[derive(Clone, Debug, InputObject)]
pub struct DeleteSectionInput {
    /// Which section.
    pub section_id: SectionId,
}

/// The lesson to delete.
#[derive(Clone, Debug, InputObject)]
pub struct DeleteLessonInput {
    /// Which lesson.
    pub lesson_id: LessonId,
}
