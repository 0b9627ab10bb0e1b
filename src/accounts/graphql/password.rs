//! Passwords: forgotten ones and new ones.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::user::{UserObject, object};
use crate::accounts::command;
use crate::accounts::model::{ChangePasswordInput, RequestPasswordResetInput, ResetPasswordInput};
use crate::graphql::context::{Role, actor, app, client, public, requires};
use crate::graphql::error::payload;
use crate::graphql::{Inline, Requires, Result, UserError};

/// The answer to `requestPasswordReset`.
#[derive(SimpleObject)]
pub(super) struct RequestPasswordResetPayload {
    /// Until when the link is good that was mailed, if there is such an account; null when there are userErrors.
    expires_at: Option<DateTime<Utc>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `resetPassword`.
#[derive(SimpleObject)]
pub(super) struct ResetPasswordPayload {
    /// Whose password it is; null when there are userErrors.
    user: Option<Inline<UserObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `changePassword`.
#[derive(SimpleObject)]
pub(super) struct ChangePasswordPayload {
    /// The viewer; null when there are userErrors.
    user: Option<Inline<UserObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// What can be done with passwords.
#[derive(Default)]
pub(super) struct PasswordMutation;

#[Object]
impl PasswordMutation {
    /// Mails a link to a new password to the account with this address. The answer never tells whether there is one.
    #[graphql(directive = public::apply())]
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose password was forgotten.")] input: RequestPasswordResetInput,
    ) -> Result<Option<Inline<RequestPasswordResetPayload>>> {
        let outcome = command::request_password_reset(app(ctx), client(ctx), input).await;
        let (expires_at, user_errors) = payload(outcome)?;
        Ok(Some(Inline(RequestPasswordResetPayload { expires_at, user_errors })))
    }

    /// Sets a new password with a mailed link, which is good once. All sessions of the user end, and a mail tells of
    /// it. Nobody is signed in.
    #[graphql(directive = public::apply())]
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token of the link and the new password.")] input: ResetPasswordInput,
    ) -> Result<Option<Inline<ResetPasswordPayload>>> {
        let (user, user_errors) = payload(command::reset_password(app(ctx), client(ctx), input).await)?;
        Ok(Some(Inline(ResetPasswordPayload { user: user.map(|user| Inline(UserObject::own(user))), user_errors })))
    }

    /// Replaces the viewer's password. Their other sessions end, and a mail tells of it.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The password so far and the new one.")] input: ChangePasswordInput,
    ) -> Result<Option<Inline<ChangePasswordPayload>>> {
        let (user, user_errors) = payload(command::change_password(app(ctx), actor(ctx), client(ctx), input).await)?;
        Ok(Some(Inline(ChangePasswordPayload { user: user.map(object), user_errors })))
    }
}
