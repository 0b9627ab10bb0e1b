//! The event of a job that has failed too often.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::platform::outbox::Event;

/// A job has failed too often and is dead. Features can react to this event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobDied {
    /// The name of the job's handler.
    pub handler: String,
    /// The job's payload.
    pub payload: Value,
}

impl Event for JobDied {
    const KIND: &'static str = "job_died";
}
