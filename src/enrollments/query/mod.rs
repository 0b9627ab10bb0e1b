//! SQL for enrollments, progress, certificates and players.

pub(super) mod certificate;
pub(super) mod enrollment;
pub(super) mod player;
pub(super) mod progress;

use crate::platform::db::schema::{enrollments, lesson_progress};

// diesel.toml says why not all.
diesel::allow_tables_to_appear_in_same_query!(enrollments, lesson_progress);
