//! Bans in the schema.

use async_graphql::{Context, Object, SimpleObject};

use super::user::{UserObject, object};
use crate::accounts::command;
use crate::accounts::model::{BanUserInput, UnbanUserInput};
use crate::graphql::context::{actor, app, client};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, requires};
use crate::graphql::{Requires, Result, Sequential, UserError};

/// The payload of `banUser`.
#[derive(SimpleObject)]
pub(in crate::accounts) struct BanUserPayload {
    /// The banned user; null if there are `userErrors`.
    user: Option<Sequential<UserObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `unbanUser`.
#[derive(SimpleObject)]
pub(in crate::accounts) struct UnbanUserPayload {
    /// The user, who can sign in again; null if there are `userErrors`.
    user: Option<Sequential<UserObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The ban mutations.
#[derive(Default)]
pub(super) struct BanMutation;

#[Object]
impl BanMutation {
    /// Bans a user. Within a second their sessions end and their WebSocket connections close; an email tells them why.
    /// Banning a banned user replaces the reason and the end. Administrators cannot ban themselves, so one always
    /// remains.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn ban_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user, the reason and the expiry.")] input: BanUserInput,
    ) -> Result<Option<Sequential<BanUserPayload>>> {
        let (user, user_errors) = payload(command::ban(app(ctx), actor(ctx), client(ctx), input).await)?;
        Ok(Some(Sequential(BanUserPayload { user: user.map(object), user_errors })))
    }

    /// Lifts a ban before its end. Does nothing if the user is not banned.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn unban_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The banned user.")] input: UnbanUserInput,
    ) -> Result<Option<Sequential<UnbanUserPayload>>> {
        let (user, user_errors) = payload(command::unban(app(ctx), actor(ctx), client(ctx), input).await)?;
        Ok(Some(Sequential(UnbanUserPayload { user: user.map(object), user_errors })))
    }
}
