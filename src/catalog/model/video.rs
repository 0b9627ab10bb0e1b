//! What shows a video.

use std::sync::Arc;

use async_graphql::InputObject;
use serde::{Deserialize, Serialize};

use super::{Course, CourseId, Lesson, LessonId};
use crate::media::VideoId;

/// As what a video is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ShownAs {
    /// As this lesson's.
    Lesson(LessonId),
    /// As this course's demo.
    Demo(CourseId),
}

/// The same with the rows that say who may watch.
#[derive(Clone, Debug)]
pub enum Showing {
    /// As a lesson's.
    Lesson(Arc<Course>, Arc<Lesson>),
    /// As a course's demo.
    Demo(Arc<Course>),
}

impl Showing {
    /// As what.
    pub fn shown_as(&self) -> ShownAs {
        match self {
            Showing::Lesson(_, lesson) => ShownAs::Lesson(lesson.id),
            Showing::Demo(course) => ShownAs::Demo(course.id),
        }
    }

    /// Which video, if there is one.
    pub fn video_id(&self) -> Option<VideoId> {
        match self {
            Showing::Lesson(_, lesson) => lesson.video_id,
            Showing::Demo(course) => course.demo_video_id,
        }
    }

    /// How long its author says that it is.
    pub fn declared_seconds(&self) -> i32 {
        match self {
            Showing::Lesson(_, lesson) => lesson.duration_seconds,
            Showing::Demo(_) => 0,
        }
    }
}

/// Which video a lesson shows.
#[derive(Clone, Debug, InputObject)]
pub struct SetLessonVideoInput {
    /// Which lesson.
    pub lesson_id: LessonId,
    /// The video: yours, or the course's instructor's. None if left out: the lesson has none then.
    pub video_id: Option<VideoId>,
}

/// Which video shows everybody what a course is like.
#[derive(Clone, Debug, InputObject)]
pub struct SetCourseDemoVideoInput {
    /// Which course.
    pub course_id: CourseId,
    /// The video: yours, or the course's instructor's. None if left out: the course has none then.
    pub video_id: Option<VideoId>,
}
