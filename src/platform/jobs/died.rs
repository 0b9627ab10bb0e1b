//! What is told of a job that has failed too often.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::platform::outbox::Event;

/// A job is dead: whoever waits for what it was to do can be told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobDied {
    /// Its handler's name.
    pub handler: String,
    /// What the handler was given.
    pub payload: Value,
}

impl Event for JobDied {
    const KIND: &'static str = "job_died";
}
