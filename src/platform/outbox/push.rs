//! What is pushed to subscribers.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The message that is pushed to the subscribers of a topic.
#[derive(Serialize, Deserialize)]
pub(super) struct Push {
    pub(super) position: i64,
    /// The position of the previous event of the same topic.
    pub(super) previous: i64,
    pub(super) payload: Value,
}
