//! Signing in with other services, and linking accounts there.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::identity::IdentityObject;
use super::session::{Entrance, check_transport, let_in};
use crate::accounts::command;
use crate::accounts::model::{
    CompleteSocialSignInInput, IdentityId, LinkIdentityInput, StartSocialSignInInput, UnlinkIdentityInput,
};
use crate::graphql::context::{Role, actor, app, client, public, requires};
use crate::graphql::error::payload;
use crate::graphql::{Inline, Requires, Result, UserError};

/// The answer to `startSocialSignIn`.
#[derive(SimpleObject)]
pub(super) struct StartSocialSignInPayload {
    /// Send the browser there; null when there are userErrors.
    authorization_url: Option<String>,
    /// What the service sends back beside the code. Refuse to go on with another one.
    state: Option<String>,
    /// Keep it where only this browser or app can read it, as in `sessionStorage`, and never in an address: with the
    /// code and the state alone nobody can go on.
    browser_key: Option<String>,
    /// When it is too late to come back.
    expires_at: Option<DateTime<Utc>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `completeSocialSignIn`.
#[derive(SimpleObject)]
pub(super) struct CompleteSocialSignInPayload {
    #[graphql(flatten)]
    entrance: Entrance,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `linkIdentity`.
#[derive(SimpleObject)]
pub(super) struct LinkIdentityPayload {
    /// The account that is linked now; null when there are userErrors.
    identity: Option<Inline<IdentityObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `unlinkIdentity`.
#[derive(SimpleObject)]
pub(super) struct UnlinkIdentityPayload {
    /// The account that is no longer linked; null when there are userErrors.
    identity_id: Option<IdentityId>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// What can be done with accounts at other services.
#[derive(Default)]
pub(super) struct SocialMutation;

#[Object]
impl SocialMutation {
    /// Begins a sign-in with another service. For somebody who is signed in it begins the linking of an account there,
    /// which `linkIdentity` ends; otherwise `completeSocialSignIn` ends it. There are ten minutes for that.
    #[graphql(directive = public::apply())]
    async fn start_social_sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "With which service, and where to come back to.")] input: StartSocialSignInInput,
    ) -> Result<Option<Inline<StartSocialSignInPayload>>> {
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
        Ok(Some(Inline(payload)))
    }

    /// Exchanges what the browser came back with for a session, or for a `challenge` if there is a second factor.
    /// Somebody who comes for the first time is the user with the same e-mail address if the service and the user have
    /// both verified it, and gets an account as a student if there is no such user.
    #[graphql(directive = public::apply())]
    async fn complete_social_sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the browser came back with.")] input: CompleteSocialSignInInput,
    ) -> Result<Option<Inline<CompleteSocialSignInPayload>>> {
        let transport = input.transport;
        check_transport(ctx, transport)?;
        let (admission, user_errors) = payload(command::complete_social(app(ctx), client(ctx), input).await)?;
        let entrance = let_in(ctx, transport, admission);
        Ok(Some(Inline(CompleteSocialSignInPayload { entrance, user_errors })))
    }

    /// Links an account at another service to the viewer's, whatever its e-mail address.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn link_identity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the browser came back with.")] input: LinkIdentityInput,
    ) -> Result<Option<Inline<LinkIdentityPayload>>> {
        let outcome = command::link_identity(app(ctx), actor(ctx), client(ctx), input).await;
        let (identity, user_errors) = payload(outcome)?;
        let identity = identity.map(|identity| Inline(IdentityObject::new(app(ctx), &identity)));
        Ok(Some(Inline(LinkIdentityPayload { identity, user_errors })))
    }

    /// Unlinks one of the viewer's accounts at other services, unless it is the only way to sign in.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn unlink_identity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: UnlinkIdentityInput,
    ) -> Result<Option<Inline<UnlinkIdentityPayload>>> {
        let outcome = command::unlink_identity(app(ctx), actor(ctx), client(ctx), input).await;
        let (identity_id, user_errors) = payload(outcome)?;
        Ok(Some(Inline(UnlinkIdentityPayload { identity_id, user_errors })))
    }
}
