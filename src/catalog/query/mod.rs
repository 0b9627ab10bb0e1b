//! SQL for the catalog.
//!
//! Each write notes the affected cache keys in its transaction, so that cached values are invalidated.

pub mod arrange;
pub mod browse;
pub mod category;
pub mod content;
pub mod course;
mod facet;
pub mod file;
pub(crate) mod import;
pub(crate) mod outline;
pub mod price;
pub mod publication;
pub(crate) mod setting;
pub mod slug;
pub mod stats;
pub mod video;
