//! Cache keys of the catalog.

use super::{Category, Course, CourseId, Lesson, LessonId};
use crate::graphql::Entity;
use crate::platform::db::{CacheKey, Tx};

/// The cache key of a course with its sections and lessons.
pub(crate) fn course_key(id: CourseId) -> CacheKey {
    CacheKey::of(Course::PREFIX, id.uuid())
}

/// The cache key of a course slug, whether it is taken or not.
pub(crate) fn slug_key(slug: &str) -> CacheKey {
    CacheKey::of("course_slug", slug)
}

/// The cache key of a course's counts and aggregates.
pub(crate) fn stats_key(id: CourseId) -> CacheKey {
    CacheKey::of("course_stats", id.uuid())
}

/// The cache key of a lesson's content.
pub(crate) fn lesson_key(id: LessonId) -> CacheKey {
    CacheKey::of(Lesson::PREFIX, id.uuid())
}

/// The cache key of the set of published courses and their publication times.
///
/// Every list of published courses depends on it.
pub(crate) fn lists_key() -> CacheKey {
    CacheKey::all(Course::PREFIX)
}

/// The cache key of the data by which published courses are searched, filtered and sorted.
///
/// Searches, filtered lists and their counts depend on it in addition to [`lists_key`].
pub(crate) fn facts_key() -> CacheKey {
    CacheKey::all("course_facts")
}

/// The cache key of the category tree.
pub(crate) fn categories_key() -> CacheKey {
    CacheKey::all(Category::PREFIX)
}

/// Returns the cache keys of a page of courses: those of the lists and of each course.
pub(crate) fn page_keys<'a>(courses: impl Iterator<Item = &'a std::sync::Arc<Course>>) -> Vec<CacheKey> {
    std::iter::once(lists_key()).chain(courses.map(|course| course_key(course.id))).collect()
}

/// Marks a lesson as changed: invalidates its content and the outline of its course.
pub(crate) fn lesson_changed(tx: &mut Tx, lesson: &Lesson) {
    tx.changed(course_key(lesson.course_id));
    tx.changed(lesson_key(lesson.id));
}

/// Returns the cache keys of a page of courses that were searched, filtered or sorted.
pub(crate) fn found_keys<'a>(courses: impl Iterator<Item = &'a std::sync::Arc<Course>>) -> Vec<CacheKey> {
    let mut keys = page_keys(courses);
    keys.push(facts_key());
    keys
}
