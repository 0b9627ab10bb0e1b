//! What cached values of the catalog are derived from.

use super::{Category, Course, CourseId, Lesson, LessonId};
use crate::graphql::Entity;
use crate::platform::db::{CacheKey, Tx};

/// A course with its sections and lessons.
pub(in crate::catalog) fn course_key(id: CourseId) -> CacheKey {
    CacheKey::of(Course::PREFIX, id.uuid())
}

/// A course's slug, used or not.
pub(in crate::catalog) fn slug_key(slug: &str) -> CacheKey {
    CacheKey::of("course_slug", slug)
}

/// The counts and aggregates of a course.
pub(in crate::catalog) fn stats_key(id: CourseId) -> CacheKey {
    CacheKey::of("course_stats", id.uuid())
}

/// The content of a lesson.
pub(in crate::catalog) fn lesson_key(id: LessonId) -> CacheKey {
    CacheKey::of(Lesson::PREFIX, id.uuid())
}

/// The lists of published courses: which courses they have, and in which order.
pub(in crate::catalog) fn lists_key() -> CacheKey {
    CacheKey::all(Course::PREFIX)
}

/// The category tree.
pub(in crate::catalog) fn categories_key() -> CacheKey {
    CacheKey::all(Category::PREFIX)
}

/// A page of courses: the lists, and each of its courses.
pub(in crate::catalog) fn page_keys<'a>(courses: impl Iterator<Item = &'a std::sync::Arc<Course>>) -> Vec<CacheKey> {
    std::iter::once(lists_key()).chain(courses.map(|course| course_key(course.id))).collect()
}

/// Notes that a lesson is being changed, in its course's outline and by itself.
pub(in crate::catalog) fn lesson_changed(tx: &mut Tx, lesson: &Lesson) {
    tx.changed(course_key(lesson.course_id));
    tx.changed(lesson_key(lesson.id));
}
