//! The catalog's SQL. Whatever writes a row notes that in its transaction, so that loaders drop what they keep.

pub(super) mod arrange;
pub(super) mod browse;
pub(super) mod category;
pub(super) mod content;
pub(super) mod course;
pub(super) mod file;
pub(super) mod outline;
pub(super) mod publication;
pub(super) mod slug;
pub(super) mod stats;
pub(super) mod video;
