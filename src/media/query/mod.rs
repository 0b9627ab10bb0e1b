//! SQL for uploads, videos and files.

pub(crate) mod caption;
pub(crate) mod file;
pub(crate) mod process;
pub(crate) mod reconcile;
pub(crate) mod reference;
pub(crate) mod upload;
pub(crate) mod video;
