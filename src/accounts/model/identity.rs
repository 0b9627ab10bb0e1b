//! Accounts at other services, and sign-ins with them that have begun.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};

use super::{TokenTransport, UserId};
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::{identities, identity_attempts};

/// A linked account's id: `identity_01j…`.
pub(crate) type IdentityId = Id<Identity>;

/// An account at another service that opens one here.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = identities, check_for_backend(diesel::pg::Pg))]
pub(crate) struct Identity {
    /// The id.
    pub id: IdentityId,
    /// The service.
    pub issuer: String,
    /// Who it is there.
    pub subject: String,
    /// Whose account it opens.
    pub user_id: UserId,
    /// The address that the service told last.
    pub email: Option<String>,
    /// When it was linked.
    pub created_at: DateTime<Utc>,
    /// When somebody last signed in with it.
    pub last_used_at: DateTime<Utc>,
}

impl Entity for Identity {
    const PREFIX: &'static str = "identity";
}

/// A sign-in that has begun.
#[derive(Queryable, Selectable)]
#[diesel(table_name = identity_attempts, check_for_backend(diesel::pg::Pg))]
pub(crate) struct Attempt {
    /// With which service.
    pub provider: String,
    /// What the service's token has to repeat.
    pub nonce: String,
    /// Proves to the service who began.
    pub pkce_verifier: String,
    /// Where the service sent the browser.
    pub redirect_uri: String,
}

/// What a client needs to go on.
pub(crate) struct StartedSocialSignIn {
    /// Where to send the browser.
    pub authorization_url: String,
    /// What the service sends back beside the code.
    pub state: String,
    /// What only the browser that began has.
    pub browser_key: String,
    /// When it is too late.
    pub expires_at: DateTime<Utc>,
}

/// Begins a sign-in with another service.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct StartSocialSignInInput {
    /// Which service: the id of one of identityProviders.
    pub provider: String,
    /// Where the service sends the browser back to: a page of this server or of an app that it knows. The service has
    /// to know it too.
    pub redirect_uri: String,
}

/// What the browser came back with.
#[derive(Clone, InputObject)]
pub(crate) struct CompleteSocialSignInInput {
    /// The parameter `code` of the address that the service sent the browser to.
    pub code: String,
    /// The parameter `state` of that address.
    pub state: String,
    /// What `startSocialSignIn` gave to the browser that began.
    pub browser_key: String,
    /// How the tokens are given to the client.
    #[graphql(default)]
    pub transport: TokenTransport,
}

/// What the browser came back with.
#[derive(Clone, InputObject)]
pub(crate) struct LinkIdentityInput {
    /// The parameter `code` of the address that the service sent the browser to.
    pub code: String,
    /// The parameter `state` of that address.
    pub state: String,
    /// What `startSocialSignIn` gave to the browser that began.
    pub browser_key: String,
}

/// Takes away a way to sign in.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct UnlinkIdentityInput {
    /// Which linked account.
    pub identity_id: IdentityId,
}
