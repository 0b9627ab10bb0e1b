//! The inputs that ban, unban and change the role of many users.

use async_graphql::InputObject;

use super::UserId;
use crate::graphql::{Time, guard};

/// The input of `bulkBanUsers`.
#[derive(Clone, Debug, InputObject)]
pub struct BulkBanUsersInput {
    /// The users to ban: 1 to 100, each once.
    pub user_ids: Vec<UserId>,
    /// The reason, 1 to 500 characters. Each user sees it in an email and when trying to sign in.
    pub reason: String,
    /// When the bans end by themselves; permanent if omitted.
    pub ends_at: Option<Time>,
}

/// The input of `bulkUnbanUsers`.
#[derive(Clone, Debug, InputObject)]
pub struct BulkUnbanUsersInput {
    /// The users to unban: 1 to 100, each once.
    pub user_ids: Vec<UserId>,
}

/// The input of `bulkChangeUserRole`.
#[derive(Clone, Debug, InputObject)]
pub struct BulkChangeUserRoleInput {
    /// The users whose role to change: 1 to 100, each once.
    pub user_ids: Vec<UserId>,
    /// The new role.
    pub role: guard::Role,
}
