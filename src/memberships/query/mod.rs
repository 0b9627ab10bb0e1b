//! SQL for plans and memberships.

pub(crate) mod extra;
pub(crate) mod family;
pub(crate) mod live;
pub(crate) mod membership;
pub(crate) mod period;
pub(crate) mod plan;
pub(crate) mod play;
pub(crate) mod subscription;
