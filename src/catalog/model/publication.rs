//! Publication statuses, schedules and unlock times.

use async_graphql::{Enum, InputObject, OneofObject};

use super::{Course, CourseId, Lesson, LessonId};
use crate::graphql::Time;

/// The publication status of a course or a lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
pub enum PublicationStatus {
    /// Visible only to the course's instructor and administrators.
    Draft,
    /// A draft that will be published automatically at `publishAt`.
    Scheduled,
    /// Visible to everybody; a published lesson is visible to everybody who can see its course.
    Published,
    /// Visible only to entitled users, the course's instructor and administrators. Only courses can be archived.
    Archived,
}

impl PublicationStatus {
    /// Returns the status of a course.
    pub fn of_course(course: &Course) -> PublicationStatus {
        match course {
            Course { archived_at: Some(_), .. } => PublicationStatus::Archived,
            Course { published_at: Some(_), .. } => PublicationStatus::Published,
            Course { publish_at: Some(_), .. } => PublicationStatus::Scheduled,
            _ => PublicationStatus::Draft,
        }
    }

    /// Returns the status of a lesson.
    pub fn of_lesson(lesson: &Lesson) -> PublicationStatus {
        match lesson {
            Lesson { published_at: Some(_), .. } => PublicationStatus::Published,
            Lesson { publish_at: Some(_), .. } => PublicationStatus::Scheduled,
            _ => PublicationStatus::Draft,
        }
    }
}

/// The outcome of deleting a course.
#[derive(Clone, Debug)]
pub enum Deleted {
    /// The course was deleted.
    Removed(CourseId),
    /// The course was archived instead, because a user is entitled to it.
    Archived(Box<Course>),
}

/// The input of `publishCourse`.
#[derive(Clone, Debug, InputObject)]
pub struct PublishCourseInput {
    /// The course to publish.
    pub course_id: CourseId,
}

/// The input of `unpublishCourse`.
#[derive(Clone, Debug, InputObject)]
pub struct UnpublishCourseInput {
    /// The course to unpublish.
    pub course_id: CourseId,
}

/// The input of `scheduleCourse`.
#[derive(Clone, Debug, InputObject)]
pub struct ScheduleCourseInput {
    /// The course to schedule.
    pub course_id: CourseId,
    /// The version of the course that the changes are based on. If it is stale, nothing is changed and the error is
    /// CONFLICT.
    pub version: i32,
    /// When to publish the course, in the future. If null or omitted, the schedule is canceled.
    pub publish_at: Option<Time>,
}

/// The input of `archiveCourse`.
#[derive(Clone, Debug, InputObject)]
pub struct ArchiveCourseInput {
    /// The course to archive.
    pub course_id: CourseId,
}

/// The input of `unarchiveCourse`.
#[derive(Clone, Debug, InputObject)]
pub struct UnarchiveCourseInput {
    /// The course to restore as a draft.
    pub course_id: CourseId,
}

/// The input of `deleteCourse`.
#[derive(Clone, Debug, InputObject)]
pub struct DeleteCourseInput {
    /// The course to delete.
    pub course_id: CourseId,
}

/// The input of `publishLesson`.
#[derive(Clone, Debug, InputObject)]
pub struct PublishLessonInput {
    /// The lesson to publish.
    pub lesson_id: LessonId,
}

/// The input of `unpublishLesson`.
#[derive(Clone, Debug, InputObject)]
pub struct UnpublishLessonInput {
    /// The lesson to unpublish.
    pub lesson_id: LessonId,
}

/// The input of `scheduleLesson`.
#[derive(Clone, Debug, InputObject)]
pub struct ScheduleLessonInput {
    /// The lesson to schedule.
    pub lesson_id: LessonId,
    /// The version of the lesson that the changes are based on. If it is stale, nothing is changed and the error is
    /// CONFLICT.
    pub version: i32,
    /// When to publish the lesson, in the future. If null or omitted, the schedule is canceled.
    pub publish_at: Option<Time>,
}

/// The input of `setLessonUnlock`.
#[derive(Clone, Debug, InputObject)]
pub struct SetLessonUnlockInput {
    /// The lesson.
    pub lesson_id: LessonId,
    /// The version of the lesson that the changes are based on. If it is stale, nothing is changed and the error is
    /// CONFLICT.
    pub version: i32,
    /// When the lesson unlocks. If null or omitted, users with access can see it at once.
    pub unlock: Option<LessonUnlockInput>,
}

/// The time at which a lesson unlocks; exactly one of the two.
#[derive(Clone, Debug, OneofObject)]
pub enum LessonUnlockInput {
    /// The number of days after the user's access to the course began, 1 to 3,650. A day is 24 hours, regardless of
    /// daylight saving time.
    AfterDays(i32),
    /// A fixed time for all users with access.
    At(Time),
}
