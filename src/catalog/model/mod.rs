//! Courses, sections and lessons as rows, and what commands are given.

mod arrange;
mod course;
mod outline;
mod publication;
mod subject;

pub use arrange::{DeleteLessonInput, DeleteSectionInput, ReorderCourseInput, SectionOrderInput};
pub use course::{Course, CourseId, CreateCourseInput, UpdateCourseInput};
pub use outline::{
    CreateLessonInput, CreateSectionInput, Lesson, LessonId, Section, SectionId, UpdateLessonInput, UpdateSectionInput,
};

pub(super) use publication::{
    ArchiveCourseInput, DeleteCourseInput, Deleted, LessonUnlockInput, PublicationStatus, ScheduleCourseInput,
    ScheduleLessonInput, SetLessonUnlockInput, UnarchiveCourseInput, UnpublishCourseInput, UnpublishLessonInput,
};
pub use publication::{PublishCourseInput, PublishLessonInput};
pub use subject::{Category, CategoryId, Channel, ChannelId, Level};

/// What courses, sections and lessons are called where it is noted that some have changed.
pub(super) const ROWS: &str = "catalog_rows";
