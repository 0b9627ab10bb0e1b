//! The catalog in the schema.

mod course;
mod lesson;
mod mutation;
mod new_video;
mod query;
mod section;
mod subscription;

pub use course::{CourseObject, course_node};
pub use lesson::{LessonObject, lesson_node};
pub use mutation::CatalogMutation;
pub use query::CatalogQuery;
pub use section::{SectionObject, section_node};
pub use subscription::CatalogSubscription;
