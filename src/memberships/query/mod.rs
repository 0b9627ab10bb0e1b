//! SQL for plans and memberships.

pub(super) mod extra;
pub(super) mod family;
pub(super) mod live;
pub(super) mod membership;
pub(super) mod period;
pub(super) mod plan;
pub(super) mod play;
pub(super) mod subscription;
