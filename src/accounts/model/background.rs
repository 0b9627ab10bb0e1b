//! Jobs as administrators see them.

use crate::graphql::{Entity, Id};
use crate::platform::jobs::list::Listed;

/// A job in the queue, without its payload.
pub type ListedJob = Listed;

/// The entity of [`JobId`].
#[derive(Debug)]
pub enum Job {}

/// The id of a job.
pub type JobId = Id<Job>;

impl Entity for Job {
    const PREFIX: &'static str = "job";
}
