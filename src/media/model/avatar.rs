//! The picture of a user.

use async_graphql::InputObject;

use crate::accounts::UserId;

/// The input of `removeAvatar`.
#[derive(Clone, Debug, InputObject)]
pub struct RemoveAvatarInput {
    /// Whose picture to remove; defaults to the viewer. Administrators may remove the picture of any user.
    pub user_id: Option<UserId>,
}
