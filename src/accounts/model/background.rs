//! Jobs as administrators see them.

use crate::graphql::{Entity, Id};
use crate::platform::jobs::list::Listed;

/// A job in the queue, without its payload.
pub(crate) type ListedJob = Listed;

/// The id of a job.
pub(crate) type JobId = Id<ListedJob>;

impl Entity for ListedJob {
    const PREFIX: &'static str = "job";
}
