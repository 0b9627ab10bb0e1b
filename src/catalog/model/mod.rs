//! Courses, sections and lessons as rows, and what commands are given.

mod arrange;
mod course;
mod outline;
mod subject;
mod video;

pub use arrange::{DeleteLessonInput, DeleteSectionInput, ReorderCourseInput, SectionOrderInput};
pub(super) use course::PublicationStatus;
pub use course::{Course, CourseId, CreateCourseInput, PublishCourseInput, UpdateCourseInput};
pub use outline::{
    CreateLessonInput, CreateSectionInput, Lesson, LessonId, PublishLessonInput, Section, SectionId, UpdateLessonInput,
    UpdateSectionInput,
};

pub use video::{SetCourseDemoVideoInput, SetLessonVideoInput, Showing, ShownAs};

pub use subject::{Category, CategoryId, Channel, ChannelId, Level};

/// What courses, sections and lessons are called where it is noted that some have changed.
pub(super) const ROWS: &str = "catalog_rows";
