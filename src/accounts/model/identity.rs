//! Linked accounts at identity providers, and pending sign-ins with them.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};

use super::{TokenTransport, UserId};
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::{identities, identity_attempts};

/// A linked account's id: `identity_01j…`.
pub type IdentityId = Id<Identity>;

/// An account at an identity provider that its user can sign in with.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = identities, check_for_backend(diesel::pg::Pg))]
pub struct Identity {
    /// The id.
    pub id: IdentityId,
    /// The issuer, which identifies the provider.
    pub issuer: String,
    /// The id of the account at the provider.
    pub subject: String,
    /// The user that it is linked to.
    pub user_id: UserId,
    /// The email address that the provider reported last.
    pub email: Option<String>,
    /// When it was linked.
    pub created_at: DateTime<Utc>,
    /// When it was last used to sign in.
    pub last_used_at: DateTime<Utc>,
}

impl Entity for Identity {
    const PREFIX: &'static str = "identity";
}

/// A pending sign-in with an identity provider.
#[derive(Queryable, Selectable)]
#[diesel(table_name = identity_attempts, check_for_backend(diesel::pg::Pg))]
pub(crate) struct Attempt {
    /// The id of the provider.
    pub provider: String,
    /// The nonce that the provider's ID token must contain.
    pub nonce: String,
    /// The PKCE code verifier (RFC 7636).
    pub pkce_verifier: String,
    /// The URL that the provider redirects the browser to.
    pub redirect_uri: String,
}

/// What a client needs to continue a sign-in with an identity provider.
pub struct StartedSocialSignIn {
    /// The URL to send the browser to.
    pub authorization_url: String,
    /// The value that the provider returns with the code.
    pub state: String,
    /// A secret that only the browser that began the sign-in has.
    pub browser_key: String,
    /// When the sign-in expires.
    pub expires_at: DateTime<Utc>,
}

/// The input of `startSocialSignIn`.
#[derive(Clone, Debug, InputObject)]
pub struct StartSocialSignInInput {
    /// The identity provider: the `key` of one of `identityProviders`.
    pub provider: String,
    /// The URL that the provider redirects the browser to. It must be a page of this server or of an app that it knows,
    /// and be registered at the provider.
    pub redirect_uri: String,
}

/// The input of `completeSocialSignIn`: what the browser came back with.
#[derive(Clone, InputObject)]
pub struct CompleteSocialSignInInput {
    /// The `code` parameter of the URL that the provider redirected the browser to.
    pub code: String,
    /// The `state` parameter of that URL.
    pub state: String,
    /// The `browserKey` that `startSocialSignIn` returned to this browser.
    pub browser_key: String,
    /// How the client receives the tokens; defaults to `BEARER`.
    #[graphql(default)]
    pub transport: TokenTransport,
}

/// The input of `linkIdentity`: what the browser came back with.
#[derive(Clone, InputObject)]
pub struct LinkIdentityInput {
    /// The `code` parameter of the URL that the provider redirected the browser to.
    pub code: String,
    /// The `state` parameter of that URL.
    pub state: String,
    /// The `browserKey` that `startSocialSignIn` returned to this browser.
    pub browser_key: String,
}

/// The input of `unlinkIdentity`.
#[derive(Clone, Debug, InputObject)]
pub struct UnlinkIdentityInput {
    /// The linked account to unlink.
    pub identity_id: IdentityId,
}
