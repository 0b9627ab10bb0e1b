//! Events of the catalog.

use serde::{Deserialize, Serialize};

use super::model::{CourseId, LessonId};
use crate::platform::outbox::Event;

/// The topic of new videos in all courses.
pub(super) const NEW_VIDEOS: &str = "videos";

/// The topic of new videos in a course.
pub(super) fn new_videos_of(course: CourseId) -> String {
    format!("videos:{}", course.uuid())
}

/// A lesson of a published course has become visible for the first time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LessonPublished {
    /// The lesson.
    pub lesson_id: LessonId,
    /// Its course.
    pub course_id: CourseId,
}

impl Event for LessonPublished {
    const KIND: &'static str = "lesson_published";

    fn topics(&self) -> Vec<String> {
        vec![NEW_VIDEOS.to_owned(), new_videos_of(self.course_id)]
    }
}

/// A course has been published for the first time, with the lessons that were published in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CoursePublished {
    /// The course.
    pub course_id: CourseId,
}

impl Event for CoursePublished {
    const KIND: &'static str = "course_published";
}

/// A course has been archived: only entitled users and those who may edit it see it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CourseArchived {
    /// The course.
    pub course_id: CourseId,
}

impl Event for CourseArchived {
    const KIND: &'static str = "course_archived";
}

/// A course has been deleted with its sections and lessons.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CourseDeleted {
    /// The course.
    pub course_id: CourseId,
}

impl Event for CourseDeleted {
    const KIND: &'static str = "course_deleted";
}
