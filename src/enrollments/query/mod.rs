//! SQL for enrollments and players.

pub(super) mod enrollment;
pub(super) mod player;
