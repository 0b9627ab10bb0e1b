//! What appears when.

use async_graphql::{Enum, InputObject, OneofObject};
use chrono::{DateTime, Utc};

use super::{Course, CourseId, Lesson, LessonId};

/// Where a course or a lesson stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(in crate::catalog) enum PublicationStatus {
    /// Only its instructor and administrators see it.
    Draft,
    /// As a draft, until it publishes itself at its publishAt.
    Scheduled,
    /// Everybody sees it.
    Published,
    /// Those who have access to it see it, its instructor and administrators. Only courses are archived.
    Archived,
}

impl PublicationStatus {
    /// Where a course stands.
    pub(in crate::catalog) fn of_course(course: &Course) -> PublicationStatus {
        match course {
            Course { archived_at: Some(_), .. } => PublicationStatus::Archived,
            Course { published_at: Some(_), .. } => PublicationStatus::Published,
            Course { publish_at: Some(_), .. } => PublicationStatus::Scheduled,
            _ => PublicationStatus::Draft,
        }
    }

    /// Where a lesson stands.
    pub(in crate::catalog) fn of_lesson(lesson: &Lesson) -> PublicationStatus {
        match lesson {
            Lesson { published_at: Some(_), .. } => PublicationStatus::Published,
            Lesson { publish_at: Some(_), .. } => PublicationStatus::Scheduled,
            _ => PublicationStatus::Draft,
        }
    }
}

/// What became of a course that was to be deleted.
#[derive(Clone, Debug)]
pub(in crate::catalog) enum Deleted {
    /// It is gone.
    Removed(CourseId),
    /// Somebody has access to it.
    Archived(Box<Course>),
}

/// The course to publish.
#[derive(Clone, Debug, InputObject)]
pub struct PublishCourseInput {
    /// Which course.
    pub course_id: CourseId,
}

/// The course to withdraw.
#[derive(Clone, Debug, InputObject)]
pub(in crate::catalog) struct UnpublishCourseInput {
    /// Which course.
    pub course_id: CourseId,
}

/// When a course publishes itself.
#[derive(Clone, Debug, InputObject)]
pub(in crate::catalog) struct ScheduleCourseInput {
    /// Which course.
    pub course_id: CourseId,
    /// When; in the future. Null: not by itself.
    pub publish_at: Option<DateTime<Utc>>,
}

/// The course to archive.
#[derive(Clone, Debug, InputObject)]
pub(in crate::catalog) struct ArchiveCourseInput {
    /// Which course.
    pub course_id: CourseId,
}

/// The course to bring back as a draft.
#[derive(Clone, Debug, InputObject)]
pub(in crate::catalog) struct UnarchiveCourseInput {
    /// Which course.
    pub course_id: CourseId,
}

/// The course to delete.
#[derive(Clone, Debug, InputObject)]
pub(in crate::catalog) struct DeleteCourseInput {
    /// Which course.
    pub course_id: CourseId,
}

/// The lesson to publish.
#[derive(Clone, Debug, InputObject)]
pub struct PublishLessonInput {
    /// Which lesson.
    pub lesson_id: LessonId,
}

/// The lesson to withdraw.
#[derive(Clone, Debug, InputObject)]
pub(in crate::catalog) struct UnpublishLessonInput {
    /// Which lesson.
    pub lesson_id: LessonId,
}

/// When a lesson publishes itself.
#[derive(Clone, Debug, InputObject)]
pub(in crate::catalog) struct ScheduleLessonInput {
    /// Which lesson.
    pub lesson_id: LessonId,
    /// When; in the future. Null: not by itself.
    pub publish_at: Option<DateTime<Utc>>,
}

/// When a lesson opens for those who have access to its course.
#[derive(Clone, Debug, InputObject)]
pub(in crate::catalog) struct SetLessonUnlockInput {
    /// Which lesson.
    pub lesson_id: LessonId,
    /// When; null: at once.
    pub unlock: Option<LessonUnlockInput>,
}

/// A time at which a lesson opens: one of the two.
#[derive(Clone, Debug, OneofObject)]
pub(in crate::catalog) enum LessonUnlockInput {
    /// So many days after somebody's access to the course began, 1 to 3,650. A day is 24 hours, whatever the clocks do.
    AfterDays(i32),
    /// At this instant, for everybody who has access.
    At(DateTime<Utc>),
}
