//! Accounts at other services in the schema.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use crate::accounts::model::{Identity, IdentityId};
use crate::graphql::context::{app, public};
use crate::graphql::page::slice;
use crate::graphql::{Connection, Inline, PageArgs, Result};
use crate::platform::App;
use crate::platform::identity::Provider;

const PROVIDERS: &str = "identityProviders";

/// Another service that people can sign in with.
#[derive(Clone, SimpleObject)]
#[graphql(name = "IdentityProvider")]
pub(super) struct ProviderObject {
    /// What programs call it: `google`, `github`, or `oidc` for the organisation's own.
    id: String,
    /// What people call it.
    name: String,
}

impl ProviderObject {
    fn new(provider: &Provider) -> ProviderObject {
        ProviderObject { id: provider.id().to_owned(), name: provider.name().to_owned() }
    }
}

/// An account at another service that opens one here.
#[derive(Clone, SimpleObject)]
#[graphql(name = "Identity")]
pub(super) struct IdentityObject {
    /// Identifies the link.
    pub(super) id: IdentityId,
    /// The service; null when people can no longer sign in with it here.
    provider: Option<Inline<ProviderObject>>,
    /// The e-mail address that the service told last.
    email: Option<String>,
    /// When it was linked.
    pub(super) created_at: DateTime<Utc>,
    /// When it was last used to sign in.
    last_used_at: DateTime<Utc>,
}

impl IdentityObject {
    pub(super) fn new(app: &App, identity: &Identity) -> IdentityObject {
        let Identity { id, created_at, last_used_at, .. } = *identity;
        let provider = app.identity.of(&identity.issuer).map(|provider| Inline(ProviderObject::new(provider)));
        IdentityObject { id, provider, email: identity.email.clone(), created_at, last_used_at }
    }
}

/// The queries about other services.
#[derive(Default)]
pub(super) struct IdentityQuery;

#[Object]
impl IdentityQuery {
    /// The other services that people can sign in with, in the order of their ids.
    #[graphql(directive = public::apply())]
    async fn identity_providers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, from the start; 1 to 100, 20 if neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most this many, from the end; 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Inline<Connection<ProviderObject>>> {
        let providers = app(ctx).identity.all().iter().map(ProviderObject::new).collect();
        let args = PageArgs { first, after, last, before };
        slice(args, PROVIDERS, providers, |provider: &ProviderObject| provider.id.clone()).map(Inline)
    }
}
