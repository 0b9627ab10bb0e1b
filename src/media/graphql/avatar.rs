//! The mutation of a user's picture.
//!
//! It belongs to this feature because accounts come before media in the order of features: they know of no files.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use crate::accounts::UserObject;
use crate::graphql::context::{actor, app, client};
use crate::graphql::error::payload;
use crate::graphql::guard::{Requires, Role, requires};
use crate::graphql::{Result, Sequential, UserError};
use crate::media::command;
use crate::media::model::RemoveAvatarInput;

/// The payload of `removeAvatar`.
#[derive(SimpleObject)]
pub(super) struct RemoveAvatarPayload {
    /// The user without a picture; null if there are `userErrors`.
    user: Option<Sequential<UserObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The mutation of a user's picture.
#[derive(Default)]
pub(super) struct AvatarMutation;

#[Object]
impl AvatarMutation {
    /// Removes a user's picture. Does nothing if there is none. To set one, upload it with `attachTo: { avatar: true }`.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn remove_avatar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user whose picture to remove.")] input: RemoveAvatarInput,
    ) -> Result<Option<Sequential<RemoveAvatarPayload>>> {
        let (user, user_errors) = payload(command::remove_avatar(app(ctx), actor(ctx), client(ctx), input).await)?;
        let user = user.map(|user| Sequential(UserObject::new(Arc::new(user))));
        Ok(Some(Sequential(RemoveAvatarPayload { user, user_errors })))
    }
}
