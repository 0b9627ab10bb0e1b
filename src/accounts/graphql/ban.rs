//! Bans in the schema.

use async_graphql::{Context, Object, SimpleObject};

use super::user::{UserObject, object};
use crate::accounts::command;
use crate::accounts::model::{BanUserInput, UnbanUserInput};
use crate::graphql::context::{Role, actor, app, client, requires};
use crate::graphql::error::payload;
use crate::graphql::{Inline, Requires, Result, UserError};

/// The answer to `banUser`.
#[derive(SimpleObject)]
pub(in crate::accounts) struct BanUserPayload {
    /// The banned user; null when there are userErrors.
    user: Option<Inline<UserObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `unbanUser`.
#[derive(SimpleObject)]
pub(in crate::accounts) struct UnbanUserPayload {
    /// The user, who may sign in again; null when there are userErrors.
    user: Option<Inline<UserObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// What can be done about somebody who misbehaves.
#[derive(Default)]
pub(super) struct BanMutation;

#[Object]
impl BanMutation {
    /// Shuts a user out. Their sessions end and their sockets close within a second, and a mail tells them why. Banning
    /// a banned user changes the reason and the end. Nobody bans themselves, so one administrator is always left.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn ban_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who, why and until when.")] input: BanUserInput,
    ) -> Result<Option<Inline<BanUserPayload>>> {
        let (user, user_errors) = payload(command::ban(app(ctx), actor(ctx), client(ctx), input).await)?;
        Ok(Some(Inline(BanUserPayload { user: user.map(object), user_errors })))
    }

    /// Lifts a ban before its end. For somebody who is not banned nothing changes.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn unban_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose ban.")] input: UnbanUserInput,
    ) -> Result<Option<Inline<UnbanUserPayload>>> {
        let (user, user_errors) = payload(command::unban(app(ctx), actor(ctx), client(ctx), input).await)?;
        Ok(Some(Inline(UnbanUserPayload { user: user.map(object), user_errors })))
    }
}
