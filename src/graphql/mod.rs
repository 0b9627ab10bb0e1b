//! The schema and its executor, which know every feature, with the kernel, which knows none.

pub mod executor;
pub mod schema;

pub use executor::Executor;
pub use lyceum_graphql::*;
