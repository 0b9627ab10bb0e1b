//! SQL for uploads, videos and files.

pub(super) mod caption;
pub(super) mod file;
pub(super) mod process;
pub(super) mod reconcile;
pub(super) mod reference;
pub(super) mod upload;
pub(super) mod video;
