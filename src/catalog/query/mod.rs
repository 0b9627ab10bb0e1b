//! SQL for the catalog.
//!
//! Each write notes the affected cache keys in its transaction, so that cached values are invalidated.

pub(super) mod arrange;
pub(super) mod browse;
pub(super) mod category;
pub(super) mod content;
pub(super) mod course;
mod facet;
pub(super) mod file;
pub(super) mod import;
pub(super) mod outline;
pub(super) mod price;
pub(super) mod publication;
pub(super) mod setting;
pub(super) mod slug;
pub(super) mod stats;
pub(super) mod video;
