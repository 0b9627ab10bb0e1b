//! SQL for enrollments, progress, certificates and players.

pub(crate) mod certificate;
pub(crate) mod enrollment;
pub(crate) mod player;
pub(crate) mod progress;
