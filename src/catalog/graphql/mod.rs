//! The catalog in the schema.

mod arrange;
mod course;
mod lesson;
mod mutation;
mod new_video;
mod query;
mod section;
mod subscription;
mod video;

use async_graphql::MergedObject;

pub use course::{CourseObject, course_node};
pub use lesson::{LessonObject, lesson_node};
pub use section::{SectionObject, section_node};
pub use subscription::CatalogSubscription;

/// The catalog queries.
#[derive(Default, MergedObject)]
pub struct CatalogQuery(query::CourseQuery);

/// The catalog mutations.
#[derive(Default, MergedObject)]
pub struct CatalogMutation(mutation::CourseMutation, arrange::ArrangeMutation, video::VideoMutation);
