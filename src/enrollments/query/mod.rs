//! SQL for enrollments, progress, certificates and players.

pub(super) mod certificate;
pub(super) mod enrollment;
pub(super) mod player;
pub(super) mod progress;
