//! Linked accounts at identity providers in the schema.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use crate::accounts::loader::IdentityById;
use crate::accounts::model::{Identity, IdentityId};
use crate::accounts::policy;
use crate::graphql::context::{actor, app, loaders};
use crate::graphql::guard::public;
use crate::graphql::page::slice;
use crate::graphql::{Connection, PageArgs, Result, Sequential};
use crate::platform::App;
use crate::platform::identity::Provider;

const PROVIDERS: &str = "identityProviders";

/// An identity provider that users can sign in with.
#[derive(Clone, SimpleObject)]
#[graphql(name = "IdentityProvider")]
pub(super) struct ProviderObject {
    /// The key to sign in with: `google`, `github`, or `oidc` for the organization's own provider.
    key: String,
    /// The display name.
    name: String,
}

impl ProviderObject {
    fn new(provider: &Provider) -> ProviderObject {
        ProviderObject { key: provider.id().to_owned(), name: provider.name().to_owned() }
    }
}

/// An account at an identity provider that the user can sign in with.
#[derive(Clone, SimpleObject)]
#[graphql(name = "Identity")]
pub(super) struct IdentityObject {
    /// The id of the linked account.
    pub(super) id: IdentityId,
    /// The identity provider; null if users can no longer sign in with it.
    provider: Option<Sequential<ProviderObject>>,
    /// The email address that the provider reported last; null if it reported none.
    email: Option<String>,
    /// When the account was linked.
    pub(super) created_at: DateTime<Utc>,
    /// When the account was last used to sign in.
    last_used_at: DateTime<Utc>,
}

impl IdentityObject {
    pub(super) fn new(app: &App, identity: &Identity) -> IdentityObject {
        let Identity { id, created_at, last_used_at, .. } = *identity;
        let provider = app.identity.of(&identity.issuer).map(|provider| Sequential(ProviderObject::new(provider)));
        IdentityObject { id, provider, email: identity.email.clone(), created_at, last_used_at }
    }
}

/// The identity provider queries.
#[derive(Default)]
pub(super) struct IdentityQuery;

#[Object]
impl IdentityQuery {
    /// The identity providers that users can sign in with, ordered by `key`.
    #[graphql(directive = public::apply())]
    async fn identity_providers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<Connection<ProviderObject>>> {
        let providers = app(ctx).identity.all().iter().map(ProviderObject::new).collect();
        let args = PageArgs { first, after, last, before };
        slice(args, PROVIDERS, providers, |provider: &ProviderObject| provider.key.clone()).map(Sequential)
    }
}

/// Returns a linked account of the viewer, or of any user for administrators.
pub(super) async fn identity_node(ctx: &Context<'_>, id: IdentityId) -> Result<Option<IdentityObject>> {
    let identity = loaders(ctx).load(IdentityById(id)).await?;
    let sees = |identity: &Identity| policy::can_see_private(actor(ctx), identity.user_id);
    Ok(identity.filter(|identity| sees(identity)).map(|identity| IdentityObject::new(app(ctx), &identity)))
}
