//! [`lyceum_accounts`], and its part of the schema.

mod graphql;

pub use graphql::{UserObject, mutations, nodes, queries, user_node, viewer_fields};
pub use lyceum_accounts::*;
