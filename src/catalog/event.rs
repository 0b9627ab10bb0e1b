//! Events of the catalog.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::model::{CategoryId, CourseId, LessonId, LessonKind};
use crate::channels::ChannelId;
use crate::platform::outbox::Event;

/// The topic of new videos in all courses.
pub const NEW_VIDEOS: &str = "videos";

/// The topic of new videos in a course or a channel, by its id.
pub fn new_videos_of(id: Uuid) -> String {
    format!("videos:{id}")
}

/// A lesson of a published course has become visible for the first time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LessonPublished {
    /// The lesson.
    pub lesson_id: LessonId,
    /// Its course.
    pub course_id: CourseId,
    /// The channel of the course at the time of the event.
    #[serde(default)]
    pub channel_id: Option<ChannelId>,
    /// What the lesson consists of. Only videos are in the topics of new videos.
    #[serde(default = "video")]
    pub kind: LessonKind,
    /// When it was published; `None` if the previous version of the program recorded the event.
    #[serde(default)]
    pub published_at: Option<DateTime<Utc>>,
}

/// The kind of lessons in events of the previous version of the program.
fn video() -> LessonKind {
    LessonKind::Video
}

impl Event for LessonPublished {
    const KIND: &'static str = "lesson_published";

    fn topics(&self) -> Vec<String> {
        if self.kind == LessonKind::Article {
            return Vec::new();
        }
        let places = [Some(self.course_id.uuid()), self.channel_id.map(ChannelId::uuid)];
        [NEW_VIDEOS.to_owned()].into_iter().chain(places.into_iter().flatten().map(new_videos_of)).collect()
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

/// A category has been archived: it is not offered anymore. Its courses stay.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CategoryArchived {
    /// The category.
    pub category_id: CategoryId,
}

impl Event for CategoryArchived {
    const KIND: &'static str = "category_archived";
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
