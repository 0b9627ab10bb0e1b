//! Another address for a user.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::user::UserObject;
use crate::accounts::command;
use crate::accounts::model::{ChangeEmailInput, ConfirmEmailChangeInput, EmailChange, EmailChangeId};
use crate::graphql::context::{Role, actor, app, client, public, requires};
use crate::graphql::error::payload;
use crate::graphql::{Inline, Requires, Result, UserError};

/// A new address that waits for a proof that it is the viewer's. It looks the same whether or not the address has an
/// account already; then its owner gets a mail that says so instead of a code.
#[derive(SimpleObject)]
#[graphql(name = "EmailChange")]
pub(super) struct EmailChangeObject {
    /// Identifies the change.
    id: EmailChangeId,
    /// The address that is to be.
    new_email: String,
    /// When the code and the link that were mailed there end.
    expires_at: DateTime<Utc>,
}

/// The answer to `changeEmail`.
#[derive(SimpleObject)]
pub(super) struct ChangeEmailPayload {
    /// The change, which waits for its confirmation; null when there are userErrors.
    email_change: Option<Inline<EmailChangeObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `confirmEmailChange`.
#[derive(SimpleObject)]
pub(super) struct ConfirmEmailChangePayload {
    /// The user with the new address; null when there are userErrors.
    user: Option<Inline<UserObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// What can be done about addresses.
#[derive(Default)]
pub(super) struct EmailChangeMutation;

#[Object]
impl EmailChangeMutation {
    /// Asks for another e-mail address. A code and a link go there, a notice goes to the old one. A change that waits
    /// is replaced; a new password ends it.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn change_email(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new address and the password.")] input: ChangeEmailInput,
    ) -> Result<Option<Inline<ChangeEmailPayload>>> {
        let outcome = command::change_email(app(ctx), actor(ctx), client(ctx), input).await;
        let (change, user_errors) = payload(outcome)?;
        let email_change = change.map(|EmailChange { id, new_email, expires_at, .. }| {
            Inline(EmailChangeObject { id, new_email, expires_at })
        });
        Ok(Some(Inline(ChangeEmailPayload { email_change, user_errors })))
    }

    /// Gives a user the new e-mail address. With a code, that is the viewer, who has five tries; the token of the link
    /// says itself who it is.
    #[graphql(directive = public::apply())]
    async fn confirm_email_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code or the token.")] input: ConfirmEmailChangeInput,
    ) -> Result<Option<Inline<ConfirmEmailChangePayload>>> {
        let outcome = command::confirm_email_change(app(ctx), actor(ctx), client(ctx), input).await;
        let (user, user_errors) = payload(outcome)?;
        Ok(Some(Inline(ConfirmEmailChangePayload {
            user: user.map(|user| Inline(UserObject::own(user))),
            user_errors,
        })))
    }
}
