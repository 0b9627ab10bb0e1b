//! SQL for uploads, videos and files.

pub(super) mod caption;
pub(super) mod file;
pub(super) mod process;
pub(super) mod reconcile;
pub(super) mod reference;
pub(super) mod upload;
pub(super) mod video;

use crate::platform::db::schema::{file_references, media_files, video_references, videos};

// diesel.toml says why not all.
diesel::allow_tables_to_appear_in_same_query!(file_references, media_files);
diesel::allow_tables_to_appear_in_same_query!(video_references, videos);
