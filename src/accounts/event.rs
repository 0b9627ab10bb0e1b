//! What happened to accounts.

use serde::{Deserialize, Serialize};

use super::model::UserId;
use crate::platform::outbox::Event;

/// Somebody got an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserRegistered {
    /// Who.
    pub user_id: UserId,
}

impl Event for UserRegistered {
    const KIND: &'static str = "user_registered";
}

/// Somebody's role changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct UserRoleChanged {
    /// Whose.
    pub(super) user_id: UserId,
    /// From which.
    pub(super) from: crate::platform::auth::Role,
    /// To which.
    pub(super) to: crate::platform::auth::Role,
}

impl Event for UserRoleChanged {
    const KIND: &'static str = "user_role_changed";
}
