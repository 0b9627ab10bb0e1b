//! Accessors for what the executor puts into a resolver's context.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::Context;

use super::loaders::Loaders;
use super::role::Scope;
use super::viewer_loaders::ViewerLoaders;
use crate::platform::App;
use crate::platform::auth::{Actor, Client};

/// The caller of a request, and whether a resolver has asked for it.
pub struct Caller {
    actor: Actor,
    client: Arc<Client>,
    asked_for: AtomicBool,
}

impl Caller {
    /// Creates the caller of a request that no resolver has asked for yet.
    pub fn new(actor: Actor, client: Arc<Client>) -> Caller {
        Caller { actor, client, asked_for: AtomicBool::new(false) }
    }

    /// Forgets that a resolver has asked for it.
    pub(crate) fn forget(&self) {
        self.asked_for.store(false, Ordering::Relaxed);
    }

    /// Returns whether a resolver has asked for it since [`Caller::forget`]. If none has, no result depends on it.
    pub(crate) fn was_asked_for(&self) -> bool {
        self.asked_for.load(Ordering::Relaxed)
    }

    /// The only way to the caller from a resolver.
    fn ask<'a>(ctx: &Context<'a>) -> &'a Caller {
        let caller = ctx.data_unchecked::<Arc<Caller>>();
        caller.asked_for.store(true, Ordering::Relaxed);
        caller
    }
}

/// Returns the application.
pub fn app<'a>(ctx: &Context<'a>) -> &'a App {
    loaders(ctx).app()
}

/// Returns the caller if it has a session, otherwise the anonymous user.
///
/// A caller with a personal API token counts as anonymous. A field that shows more to an API token than to the public
/// uses [`within`] instead.
pub fn actor<'a>(ctx: &Context<'a>) -> &'a Actor {
    bearer(ctx).in_session()
}

/// Returns the caller if it has a session or an API token with `scope`, otherwise anonymous.
pub fn within<'a>(ctx: &Context<'a>, scope: Scope) -> &'a Actor {
    bearer(ctx).within(scope.into())
}

/// Returns the caller, whether it uses a session or an API token.
pub fn bearer<'a>(ctx: &Context<'a>) -> &'a Actor {
    &Caller::ask(ctx).actor
}

/// Returns the client that sent the request.
pub fn client<'a>(ctx: &Context<'a>) -> &'a Client {
    &Caller::ask(ctx).client
}

/// Returns the data loaders.
pub fn loaders<'a>(ctx: &Context<'a>) -> &'a Arc<Loaders> {
    ctx.data_unchecked::<Arc<Loaders>>()
}

/// The loads of what depends on the viewer.
pub fn viewer_loaders<'a>(ctx: &Context<'a>) -> &'a ViewerLoaders {
    Caller::ask(ctx);
    ctx.data_unchecked::<ViewerLoaders>()
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Request, Schema};
    use chrono::{DateTime, Utc};
    use uuid::Uuid;

    use super::*;
    use crate::platform::auth::{self, Scopes};

    struct Query;

    #[Object]
    impl Query {
        async fn in_session(&self, ctx: &Context<'_>) -> bool {
            actor(ctx).has(auth::Role::Student)
        }

        async fn in_scope(&self, ctx: &Context<'_>) -> bool {
            within(ctx, Scope::ReadCourses).has(auth::Role::Student)
        }
    }

    #[tokio::test]
    async fn a_resolver_that_names_no_scope_takes_a_token_for_nobody() {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        let user = |scopes: Option<&[auth::Scope]>| Actor::User {
            id: Uuid::from_u128(1),
            role: auth::Role::Admin,
            session: Uuid::from_u128(2),
            version: 0,
            expires_at: DateTime::<Utc>::MAX_UTC,
            scopes: scopes.map(|scopes| Scopes::from_iter(scopes.iter().copied())),
        };
        for (who, actor, in_session, in_scope) in [
            ("nobody", Actor::Anonymous, false, false),
            ("a session", user(None), true, true),
            ("a token with the scope", user(Some(&auth::Scope::ALL)), false, true),
            ("a token without it", user(Some(&[auth::Scope::ReadUsers])), false, false),
        ] {
            let caller = Arc::new(Caller::new(actor, Arc::new(Client::default())));
            let response = schema.execute(Request::new("{ inSession inScope }").data(caller)).await;
            let expected = async_graphql::value!({ "inSession": in_session, "inScope": in_scope });
            assert_eq!(response.data, expected, "{who}");
        }
    }
}
