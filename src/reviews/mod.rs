//! [`lyceum_reviews`], and its part of the schema.

mod graphql;

pub(crate) use graphql::{ReviewConnection, course_reviews};
pub use graphql::{ReviewObject, mutations, nodes, post_types, viewer_review};
pub use lyceum_reviews::*;
