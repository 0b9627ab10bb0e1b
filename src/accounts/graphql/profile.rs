//! The viewer's profile and account.

use async_graphql::{Context, Object, SimpleObject};

use super::session::clear_cookies;
use super::user::{UserObject, object};
use crate::accounts::command;
use crate::accounts::model::{CancelAccountDeletionInput, DeleteAccountInput, UpdateProfileInput};
use crate::graphql::context::{Role, actor, app, client, requires};
use crate::graphql::error::payload;
use crate::graphql::{Inline, Requires, Result, UserError};

/// The answer to `updateProfile`.
#[derive(SimpleObject)]
pub(super) struct UpdateProfilePayload {
    /// The viewer as they are now; null when there are userErrors.
    user: Option<Inline<UserObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `deleteAccount`.
#[derive(SimpleObject)]
pub(super) struct DeleteAccountPayload {
    /// The viewer, with the `deletionDueAt` of the account; null when there are userErrors.
    user: Option<Inline<UserObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `cancelAccountDeletion`.
#[derive(SimpleObject)]
pub(super) struct CancelAccountDeletionPayload {
    /// Whose account is kept; null when there are userErrors.
    user: Option<Inline<UserObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// What can be done with a profile and with the account as a whole.
#[derive(Default)]
pub(super) struct ProfileMutation;

#[Object]
impl ProfileMutation {
    /// Changes what the viewer tells about themselves.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes.")] input: UpdateProfileInput,
    ) -> Result<Option<Inline<UpdateProfilePayload>>> {
        let (user, user_errors) = payload(command::update_profile(app(ctx), actor(ctx), input).await)?;
        Ok(Some(Inline(UpdateProfilePayload { user: user.map(object), user_errors })))
    }

    /// Gives the viewer's account up. All sessions end at once. The account is deleted at `deletionDueAt`; until then
    /// whoever signs in again can keep it with `cancelAccountDeletion`. Then the person is removed from it for good;
    /// what others need stays without a name: courses, orders, reviews.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn delete_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The password.")] input: DeleteAccountInput,
    ) -> Result<Option<Inline<DeleteAccountPayload>>> {
        let (user, user_errors) = payload(command::give_up(app(ctx), actor(ctx), client(ctx), input).await)?;
        if user.is_some() {
            clear_cookies(ctx);
        }
        Ok(Some(Inline(DeleteAccountPayload { user: user.map(object), user_errors })))
    }

    /// Keeps an account that was given up.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn cancel_account_deletion(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose account.")] input: CancelAccountDeletionInput,
    ) -> Result<Option<Inline<CancelAccountDeletionPayload>>> {
        let (user, user_errors) = payload(command::cancel_deletion(app(ctx), actor(ctx), client(ctx), input).await)?;
        Ok(Some(Inline(CancelAccountDeletionPayload { user: user.map(object), user_errors })))
    }
}
