//! The catalog in the schema.

mod arrange;
mod browse;
mod category;
mod content;
mod course;
mod lesson;
mod mutation;
mod new_video;
mod publication;
mod query;
mod section;
mod subscription;
mod thumbnail;
mod video;

use async_graphql::MergedObject;

pub use category::{CategoryObject, category_node, courses_of_channel};
pub use course::{CourseObject, course_node};
pub use lesson::{LessonObject, lesson_node};
pub use section::{SectionObject, section_node};
pub use subscription::CatalogSubscription;

/// The catalog queries.
#[derive(Default, MergedObject)]
pub struct CatalogQuery(query::CourseQuery, browse::BrowseQuery, category::CategoryQuery);

/// The catalog mutations.
#[derive(Default, MergedObject)]
pub struct CatalogMutation(
    mutation::CourseMutation,
    publication::PublicationMutation,
    arrange::ArrangeMutation,
    video::VideoMutation,
    thumbnail::ThumbnailMutation,
    category::CategoryMutation,
);
