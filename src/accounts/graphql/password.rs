//! Password changes and resets in the schema.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::user::{UserObject, object};
use crate::accounts::command;
use crate::accounts::model::{ChangePasswordInput, RequestPasswordResetInput, ResetPasswordInput};
use crate::graphql::context::{actor, app, client};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, public, requires};
use crate::graphql::{Requires, Result, Sequential, UserError};

/// The payload of `requestPasswordReset`.
#[derive(SimpleObject)]
pub(super) struct RequestPasswordResetPayload {
    /// When the link expires that is emailed if there is such an account. Null if there are `userErrors`.
    expires_at: Option<DateTime<Utc>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `resetPassword`.
#[derive(SimpleObject)]
pub(super) struct ResetPasswordPayload {
    /// The user whose password was reset; null if there are `userErrors`.
    user: Option<Sequential<UserObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `changePassword`.
#[derive(SimpleObject)]
pub(super) struct ChangePasswordPayload {
    /// The viewer; null if there are `userErrors`.
    user: Option<Sequential<UserObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The password mutations.
#[derive(Default)]
pub(super) struct PasswordMutation;

#[Object]
impl PasswordMutation {
    /// Emails a password reset link to the account with this address. The response does not reveal whether there is
    /// one.
    #[graphql(directive = public::apply())]
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The email address of the account.")] input: RequestPasswordResetInput,
    ) -> Result<Option<Sequential<RequestPasswordResetPayload>>> {
        let outcome = command::request_password_reset(app(ctx), client(ctx), input).await;
        let (expires_at, user_errors) = payload(outcome)?;
        Ok(Some(Sequential(RequestPasswordResetPayload { expires_at, user_errors })))
    }

    /// Sets a new password with an emailed link, which is valid once. All sessions and API tokens of the user end, on
    /// request all accounts at identity providers are unlinked, and an email notifies the user. This does not sign the
    /// user in.
    #[graphql(directive = public::apply())]
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token from the link and the new password.")] input: ResetPasswordInput,
    ) -> Result<Option<Sequential<ResetPasswordPayload>>> {
        let (user, user_errors) = payload(command::reset_password(app(ctx), client(ctx), input).await)?;
        Ok(Some(Sequential(ResetPasswordPayload {
            user: user.map(|user| Sequential(UserObject::own(user))),
            user_errors,
        })))
    }

    /// Changes the viewer's password. Their other sessions end, and an email notifies them.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The current password and the new one.")] input: ChangePasswordInput,
    ) -> Result<Option<Sequential<ChangePasswordPayload>>> {
        let (user, user_errors) = payload(command::change_password(app(ctx), actor(ctx), client(ctx), input).await)?;
        Ok(Some(Sequential(ChangePasswordPayload { user: user.map(object), user_errors })))
    }
}
