//! Commands that ban, unban and change the role of many users, each in a transaction of its own.

use super::{ban, change_role, unban};
use crate::accounts::model::{
    BanUserInput, BulkBanUsersInput, BulkChangeUserRoleInput, BulkUnbanUsersInput, ChangeUserRoleInput, UnbanUserInput,
    User,
};
use crate::graphql::Result;
use crate::graphql::bulk::{Done, for_each};
use crate::platform::App;
use crate::platform::auth::{Actor, Client};

const USERS: &str = "userIds";

/// Bans users, each as by [`ban()`].
///
/// # Errors
/// There are no users, too many, or one twice.
pub async fn ban_users(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: BulkBanUsersInput,
) -> Result<Vec<Done<User, User>>> {
    let BulkBanUsersInput { user_ids, reason, ends_at } = input;
    for_each(USERS, user_ids, |user_id| {
        ban(app, actor, client, BanUserInput { user_id, reason: reason.clone(), ends_at })
    })
    .await
}

/// Unbans users, each as by [`unban`].
///
/// # Errors
/// There are no users, too many, or one twice.
pub async fn unban_users(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: BulkUnbanUsersInput,
) -> Result<Vec<Done<User, User>>> {
    for_each(USERS, input.user_ids, |user_id| unban(app, actor, client, UnbanUserInput { user_id })).await
}

/// Changes the role of users, each as by [`change_role`].
///
/// # Errors
/// There are no users, too many, or one twice.
pub async fn change_roles(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: BulkChangeUserRoleInput,
) -> Result<Vec<Done<User, User>>> {
    let role = input.role;
    for_each(USERS, input.user_ids, |user_id| change_role(app, actor, client, ChangeUserRoleInput { user_id, role }))
        .await
}
