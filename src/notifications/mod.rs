//! [`lyceum_notifications`], and its part of the schema.

mod graphql;

pub use graphql::{NotificationSubscription, mutations, nodes, queries, viewer_fields};
pub use lyceum_notifications::*;
