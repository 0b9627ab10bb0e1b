//! The videos of lessons and the demo videos of courses.

use std::sync::Arc;

use async_graphql::InputObject;
use serde::{Deserialize, Serialize};

use super::{Course, CourseId, Lesson, LessonId};
use crate::media::{Video, VideoId};

/// The place where a video is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ShownAs {
    /// The video of this lesson.
    Lesson(LessonId),
    /// The demo video of this course.
    Demo(CourseId),
    /// One of a user's own videos, which nothing need show.
    Own(VideoId),
}

/// The place where a video is shown, with the rows that decide who may watch it.
#[derive(Clone, Debug)]
pub enum Showing {
    /// The video of a lesson.
    Lesson(Arc<Course>, Arc<Lesson>),
    /// The demo video of a course.
    Demo(Arc<Course>),
    /// One of a user's own videos, which nothing need show.
    Own(Arc<Video>),
}

impl Showing {
    /// Returns the place by its id.
    pub fn shown_as(&self) -> ShownAs {
        match self {
            Showing::Lesson(_, lesson) => ShownAs::Lesson(lesson.id),
            Showing::Demo(course) => ShownAs::Demo(course.id),
            Showing::Own(video) => ShownAs::Own(video.id),
        }
    }

    /// The video; `None` if the lesson or the course has none.
    pub fn video_id(&self) -> Option<VideoId> {
        match self {
            Showing::Lesson(_, lesson) => lesson.video_id,
            Showing::Demo(course) => course.demo_video_id,
            Showing::Own(video) => Some(video.id),
        }
    }

    /// The duration of the lesson in seconds; 0 if it is unknown, and outside a lesson.
    pub fn declared_seconds(&self) -> i32 {
        match self {
            Showing::Lesson(_, lesson) => lesson.seconds(),
            Showing::Demo(_) | Showing::Own(_) => 0,
        }
    }
}

/// The input of `setLessonVideo`.
#[derive(Clone, Debug, InputObject)]
pub struct SetLessonVideoInput {
    /// The lesson.
    pub lesson_id: LessonId,
    /// The version of the lesson that the changes are based on. If it is stale, nothing is changed and the error is
    /// CONFLICT.
    pub version: i32,
    /// A video of yours or of the course's instructor; administrators may use any. If null or omitted, the lesson has
    /// no video; a published lesson keeps one.
    pub video_id: Option<VideoId>,
}

/// The input of `setCourseDemoVideo`.
#[derive(Clone, Debug, InputObject)]
pub struct SetCourseDemoVideoInput {
    /// The course.
    pub course_id: CourseId,
    /// The version of the course that the changes are based on. If it is stale, nothing is changed and the error is
    /// CONFLICT.
    pub version: i32,
    /// A video of yours or of the course's instructor; administrators may use any. If null or omitted, the course has
    /// no demo video.
    pub video_id: Option<VideoId>,
}
