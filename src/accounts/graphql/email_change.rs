//! Changes of email addresses in the schema.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::user::UserObject;
use crate::accounts::command;
use crate::accounts::model::{ChangeEmailInput, ConfirmEmailChangeInput, EmailChange, EmailChangeId};
use crate::graphql::context::{actor, app, client};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, public, requires};
use crate::graphql::{Requires, Result, Sequential, UserError};

/// A pending change of the viewer's email address. It looks the same if the new address has an account already; in that
/// case, its owner gets an email that says so instead of a code.
#[derive(SimpleObject)]
#[graphql(name = "EmailChange")]
pub(super) struct EmailChangeObject {
    /// The id of the change.
    id: EmailChangeId,
    /// The new email address.
    new_email: String,
    /// When the emailed code and link expire.
    expires_at: DateTime<Utc>,
}

impl From<EmailChange> for EmailChangeObject {
    fn from(EmailChange { id, new_email, expires_at, .. }: EmailChange) -> EmailChangeObject {
        EmailChangeObject { id, new_email, expires_at }
    }
}

/// The payload of `changeEmail`.
#[derive(SimpleObject)]
pub(super) struct ChangeEmailPayload {
    /// The pending change; null if there are `userErrors`.
    email_change: Option<Sequential<EmailChangeObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `confirmEmailChange`.
#[derive(SimpleObject)]
pub(super) struct ConfirmEmailChangePayload {
    /// The user with the new email address; null if there are `userErrors`.
    user: Option<Sequential<UserObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The email address mutations.
#[derive(Default)]
pub(super) struct EmailChangeMutation;

#[Object]
impl EmailChangeMutation {
    /// Requests a change of the viewer's email address. A code and a link are emailed to the new address, and a notice
    /// to the old one. Replaces a pending change; a change of the password cancels it.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn change_email(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new email address and the password.")] input: ChangeEmailInput,
    ) -> Result<Option<Sequential<ChangeEmailPayload>>> {
        let outcome = command::change_email(app(ctx), actor(ctx), client(ctx), input).await;
        let (change, user_errors) = payload(outcome)?;
        let email_change = change.map(|change| Sequential(change.into()));
        Ok(Some(Sequential(ChangeEmailPayload { email_change, user_errors })))
    }

    /// Confirms a change of an email address. A code requires the viewer to be signed in and allows five attempts; the
    /// token of a link identifies the user by itself.
    #[graphql(directive = public::apply())]
    async fn confirm_email_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code, or the token from the link.")] input: ConfirmEmailChangeInput,
    ) -> Result<Option<Sequential<ConfirmEmailChangePayload>>> {
        let outcome = command::confirm_email_change(app(ctx), actor(ctx), client(ctx), input).await;
        let (user, user_errors) = payload(outcome)?;
        Ok(Some(Sequential(ConfirmEmailChangePayload {
            user: user.map(|user| Sequential(UserObject::own(user))),
            user_errors,
        })))
    }
}
