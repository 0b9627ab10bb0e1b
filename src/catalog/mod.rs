//! [`lyceum_catalog`], and its part of the schema.

mod graphql;

pub use graphql::{
    CatalogSubscription, CategoryObject, CourseObject, LessonObject, SectionObject, category_node, course_for_enrolled,
    course_node, lesson_node, mutations, nodes, queries, section_node, viewer_fields,
};
pub(crate) use graphql::{CourseConnection, courses_of_channel};
pub use lyceum_catalog::*;
