//! The catalog in the schema.

mod access;
mod administration;
mod arrange;
mod browse;
mod category;
mod content;
mod course;
mod facet;
mod lesson;
mod mutation;
mod new_video;
mod publication;
mod query;
mod search;
mod section;
mod subscription;
mod thumbnail;
mod video;

use futures_util::FutureExt;

pub(crate) use browse::courses_of_channel;
pub use category::{CategoryObject, category_node};
pub use course::{CourseObject, course_for_enrolled, course_node};
pub(crate) use facet::CourseConnection;
pub use lesson::{LessonObject, lesson_node};
pub use section::{SectionObject, section_node};
pub use subscription::CatalogSubscription;

use crate::graphql::{NodeType, RootFields};

/// Returns the types of this feature that implement `Node`.
pub fn nodes() -> Vec<NodeType> {
    vec![
        NodeType::new(|ctx, id| course_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| section_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| lesson_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| category_node(ctx, id).boxed()),
    ]
}

/// The catalog queries.
pub fn queries() -> Vec<Box<dyn RootFields>> {
    vec![
        Box::new(query::CourseQuery),
        Box::new(browse::BrowseQuery),
        Box::new(search::SearchQuery),
        Box::new(category::CategoryQuery),
    ]
}

/// The courses of the viewer.
pub fn viewer_fields() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(query::ViewerCourses)]
}

/// The catalog mutations.
pub fn mutations() -> Vec<Box<dyn RootFields>> {
    vec![
        Box::new(mutation::CourseMutation),
        Box::new(publication::PublicationMutation),
        Box::new(arrange::ArrangeMutation),
        Box::new(video::VideoMutation),
        Box::new(thumbnail::ThumbnailMutation),
        Box::new(category::CategoryMutation),
        Box::new(administration::AdministrationMutation),
    ]
}
