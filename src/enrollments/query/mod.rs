//! SQL for enrollments, progress and players.

pub(super) mod enrollment;
pub(super) mod player;
pub(super) mod progress;
