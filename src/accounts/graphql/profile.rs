//! The viewer's profile and account.

use async_graphql::{Context, Object, SimpleObject};

use super::session::clear_cookies;
use super::user::{UserObject, object};
use crate::accounts::command;
use crate::accounts::model::{CancelAccountDeletionInput, DeleteAccountInput, UpdateProfileInput};
use crate::graphql::context::{actor, app, client};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, requires};
use crate::graphql::{Requires, Result, Sequential, UserError};

/// The payload of `updateProfile`.
#[derive(SimpleObject)]
pub(super) struct UpdateProfilePayload {
    /// The updated viewer; null if there are `userErrors`.
    user: Option<Sequential<UserObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `deleteAccount`.
#[derive(SimpleObject)]
pub(super) struct DeleteAccountPayload {
    /// The viewer, with `deletionDueAt`; null if there are `userErrors`.
    user: Option<Sequential<UserObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `cancelAccountDeletion`.
#[derive(SimpleObject)]
pub(super) struct CancelAccountDeletionPayload {
    /// The user whose account is kept; null if there are `userErrors`.
    user: Option<Sequential<UserObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The profile and account mutations.
#[derive(Default)]
pub(super) struct ProfileMutation;

#[Object]
impl ProfileMutation {
    /// Updates the viewer's profile.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The fields to change.")] input: UpdateProfileInput,
    ) -> Result<Option<Sequential<UpdateProfilePayload>>> {
        let (user, user_errors) = payload(command::update_profile(app(ctx), actor(ctx), input).await)?;
        Ok(Some(Sequential(UpdateProfilePayload { user: user.map(object), user_errors })))
    }

    /// Requests the deletion of the viewer's account. All sessions and API tokens end immediately. The account is
    /// deleted at `deletionDueAt`; until then the user can sign in again and keep it with `cancelAccountDeletion`. Then
    /// all personal data is permanently removed; what others need, such as courses, orders and reviews, stays without a
    /// name.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn delete_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The password.")] input: DeleteAccountInput,
    ) -> Result<Option<Sequential<DeleteAccountPayload>>> {
        let (user, user_errors) = payload(command::give_up(app(ctx), actor(ctx), client(ctx), input).await)?;
        if user.is_some() {
            clear_cookies(ctx);
        }
        Ok(Some(Sequential(DeleteAccountPayload { user: user.map(object), user_errors })))
    }

    /// Cancels the deletion of an account. Does nothing if none is scheduled.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn cancel_account_deletion(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user whose account to keep.")] input: CancelAccountDeletionInput,
    ) -> Result<Option<Sequential<CancelAccountDeletionPayload>>> {
        let (user, user_errors) = payload(command::cancel_deletion(app(ctx), actor(ctx), client(ctx), input).await)?;
        Ok(Some(Sequential(CancelAccountDeletionPayload { user: user.map(object), user_errors })))
    }
}
