//! Mutations of many users.

use std::marker::PhantomData;

use async_graphql::{Context, Object, SimpleObject};

use super::user::{UserObject, object};
use crate::accounts::command;
use crate::accounts::model::{BulkBanUsersInput, BulkChangeUserRoleInput, BulkUnbanUsersInput, User, UserId};
use crate::graphql::bulk::{BulkPayload, Done};
use crate::graphql::context::{actor, app, client};
use crate::graphql::guard::{Role, requires};
use crate::graphql::{Requires, Result, Sequential, UserError};

// Markers: each mutation has a result type of its own in the schema, which is named after it.
pub(super) struct Ban;
pub(super) struct Unban;
pub(super) struct ChangeRole;

/// What a bulk mutation did with one user.
#[derive(SimpleObject)]
#[graphql(concrete(name = "BulkBanUsersResult", params(Ban)))]
#[graphql(concrete(name = "BulkUnbanUsersResult", params(Unban)))]
#[graphql(concrete(name = "BulkChangeUserRoleResult", params(ChangeRole)))]
pub(super) struct UserResult<M: Send + Sync> {
    /// The id in the input.
    id: UserId,
    /// The user in their current state; null if there are `userErrors`.
    user: Option<Sequential<UserObject>>,
    /// Why nothing was done with this user; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

impl<M: Send + Sync> From<Done<User, User>> for UserResult<M> {
    fn from(Done { id, value, user_errors }: Done<User, User>) -> UserResult<M> {
        UserResult { id, user: value.map(object), user_errors, mutation: PhantomData }
    }
}

/// The mutations of many users.
#[derive(Default)]
pub(super) struct BulkUserMutation;

#[Object]
impl BulkUserMutation {
    /// Bans users, each as by `banUser`. One that fails leaves the others. Repeating the mutation is safe.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn bulk_ban_users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The users, the reason and the expiry.")] input: BulkBanUsersInput,
    ) -> Result<Option<Sequential<BulkPayload<UserResult<Ban>>>>> {
        BulkPayload::of(command::ban_users(app(ctx), actor(ctx), client(ctx), input).await, UserResult::from)
    }

    /// Lifts the bans of users, each as by `unbanUser`. One that fails leaves the others. Repeating the mutation is
    /// safe.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn bulk_unban_users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The banned users.")] input: BulkUnbanUsersInput,
    ) -> Result<Option<Sequential<BulkPayload<UserResult<Unban>>>>> {
        BulkPayload::of(command::unban_users(app(ctx), actor(ctx), client(ctx), input).await, UserResult::from)
    }

    /// Changes the role of users, each as by `changeUserRole`. One that fails leaves the others. Repeating the mutation
    /// is safe.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn bulk_change_user_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The users and the new role.")] input: BulkChangeUserRoleInput,
    ) -> Result<Option<Sequential<BulkPayload<UserResult<ChangeRole>>>>> {
        BulkPayload::of(command::change_roles(app(ctx), actor(ctx), client(ctx), input).await, UserResult::from)
    }
}
