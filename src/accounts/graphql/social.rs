//! Sign-in with identity providers, and linking accounts there.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::identity::IdentityObject;
use super::session::{Entrance, check_transport, let_in};
use crate::accounts::command;
use crate::accounts::model::{
    CompleteSocialSignInInput, IdentityId, LinkIdentityInput, StartSocialSignInInput, UnlinkIdentityInput,
};
use crate::graphql::context::{actor, app, client};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, public, requires};
use crate::graphql::{Requires, Result, Sequential, UserError};

/// The payload of `startSocialSignIn`.
#[derive(SimpleObject)]
pub(super) struct StartSocialSignInPayload {
    /// The URL to send the browser to; null if there are `userErrors`.
    authorization_url: Option<String>,
    /// The value that the provider returns with the code. Abort if it returns another one. Null if there are
    /// `userErrors`.
    state: Option<String>,
    /// A secret that is required to continue, in addition to the code and the state. Store it where only this browser
    /// or app can read it, such as `sessionStorage`, and never put it into a URL. Null if there are `userErrors`.
    browser_key: Option<String>,
    /// When the sign-in expires; null if there are `userErrors`.
    expires_at: Option<DateTime<Utc>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `completeSocialSignIn`.
#[derive(SimpleObject)]
pub(super) struct CompleteSocialSignInPayload {
    #[graphql(flatten)]
    entrance: Entrance,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `linkIdentity`.
#[derive(SimpleObject)]
pub(super) struct LinkIdentityPayload {
    /// The linked account; null if there are `userErrors`.
    identity: Option<Sequential<IdentityObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `unlinkIdentity`.
#[derive(SimpleObject)]
pub(super) struct UnlinkIdentityPayload {
    /// The account that was unlinked; null if there are `userErrors`.
    identity_id: Option<IdentityId>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The identity provider mutations.
#[derive(Default)]
pub(super) struct SocialMutation;

#[Object]
impl SocialMutation {
    /// Starts a sign-in with an identity provider, to be completed with `completeSocialSignIn`. If the viewer is signed
    /// in, this starts the linking of an account instead, to be completed with `linkIdentity`. Either must be completed
    /// within ten minutes.
    #[graphql(directive = public::apply())]
    async fn start_social_sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The identity provider and the redirect URI.")] input: StartSocialSignInInput,
    ) -> Result<Option<Sequential<StartSocialSignInPayload>>> {
        let (started, user_errors) = payload(command::start_social(app(ctx), actor(ctx), client(ctx), input).await)?;
        let payload = match started {
            Some(started) => StartSocialSignInPayload {
                authorization_url: Some(started.authorization_url),
                state: Some(started.state),
                browser_key: Some(started.browser_key),
                expires_at: Some(started.expires_at),
                user_errors,
            },
            None => StartSocialSignInPayload {
                authorization_url: None,
                state: None,
                browser_key: None,
                expires_at: None,
                user_errors,
            },
        };
        Ok(Some(Sequential(payload)))
    }

    /// Exchanges the result of the redirect for a session. Returns a `challenge` instead if there is a second factor.
    /// An account that is not linked yet is linked to the user with the same email address, if both the provider and
    /// the user have verified it; if there is no such user, an account with the role `STUDENT` is created.
    #[graphql(directive = public::apply())]
    async fn complete_social_sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The result of the redirect.")] input: CompleteSocialSignInInput,
    ) -> Result<Option<Sequential<CompleteSocialSignInPayload>>> {
        let transport = input.transport;
        check_transport(ctx, transport)?;
        let (admission, user_errors) = payload(command::complete_social(app(ctx), client(ctx), input).await)?;
        let entrance = let_in(ctx, transport, admission);
        Ok(Some(Sequential(CompleteSocialSignInPayload { entrance, user_errors })))
    }

    /// Links an account at an identity provider to the viewer, whatever its email address. This needs a recent sign-in or
    /// `reauthenticate`; an email tells the viewer.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn link_identity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The result of the redirect.")] input: LinkIdentityInput,
    ) -> Result<Option<Sequential<LinkIdentityPayload>>> {
        let outcome = command::link_identity(app(ctx), actor(ctx), client(ctx), input).await;
        let (identity, user_errors) = payload(outcome)?;
        let identity = identity.map(|identity| Sequential(IdentityObject::new(app(ctx), &identity)));
        Ok(Some(Sequential(LinkIdentityPayload { identity, user_errors })))
    }

    /// Unlinks one of the viewer's accounts at identity providers. The only way to sign in cannot be unlinked. This needs
    /// a recent sign-in or `reauthenticate`; an email tells the viewer.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn unlink_identity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The identity to unlink.")] input: UnlinkIdentityInput,
    ) -> Result<Option<Sequential<UnlinkIdentityPayload>>> {
        let outcome = command::unlink_identity(app(ctx), actor(ctx), client(ctx), input).await;
        let (identity_id, user_errors) = payload(outcome)?;
        Ok(Some(Sequential(UnlinkIdentityPayload { identity_id, user_errors })))
    }
}
