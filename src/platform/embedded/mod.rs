//! What Lyceum brings along, so that it starts with nothing else installed: PostgreSQL under its own supervision and
//! an object store in its own process.

pub mod objects;
pub mod postgres;
