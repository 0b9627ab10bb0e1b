//! What happened in the catalog.

use serde::{Deserialize, Serialize};

use super::model::{CourseId, LessonId};
use crate::media::VideoId;
use crate::platform::outbox::Event;

/// The topic of every new video of the platform.
pub(super) const NEW_VIDEOS: &str = "videos";

/// The topic of one course's new videos.
pub(super) fn new_videos_of(course: CourseId) -> String {
    format!("videos:{}", course.uuid())
}

/// A lesson of a published course can be seen from now on.
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

/// A course can be seen from now on, with the lessons that were published in it before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CoursePublished {
    /// The course.
    pub course_id: CourseId,
}

impl Event for CoursePublished {
    const KIND: &'static str = "course_published";
}

/// A course is only there for those who have access to it from now on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CourseArchived {
    /// The course.
    pub course_id: CourseId,
}

impl Event for CourseArchived {
    const KIND: &'static str = "course_archived";
}

/// A course is gone, with all that was in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CourseDeleted {
    /// The course.
    pub course_id: CourseId,
    /// The videos that it showed.
    pub video_ids: Vec<VideoId>,
}

impl Event for CourseDeleted {
    const KIND: &'static str = "course_deleted";
}
