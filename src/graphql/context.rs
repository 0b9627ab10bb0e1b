//! What a resolver can ask its context for, and the guard that says who may call it.

use std::sync::Arc;

use async_graphql::{Context, Enum, Guard};

use super::error::Error;
use super::loaders::Loaders;
use crate::platform::App;
use crate::platform::auth::{self, Actor, Client};

/// The application.
pub fn app<'a>(ctx: &Context<'a>) -> &'a App {
    loaders(ctx).app()
}

/// Who asks, in a session. Whoever asks with a personal API token is nobody here; a field that such a token may see
/// more of than everybody does asks [`within`] instead.
pub fn actor<'a>(ctx: &Context<'a>) -> &'a Actor {
    bearer(ctx).in_session()
}

/// Who asks, in a session or with a personal API token that has the scope.
pub fn within<'a>(ctx: &Context<'a>, scope: Scope) -> &'a Actor {
    bearer(ctx).within(scope.into())
}

/// Who asks, however.
fn bearer<'a>(ctx: &Context<'a>) -> &'a Actor {
    ctx.data_unchecked::<Actor>()
}

/// Where the request comes from.
pub fn client<'a>(ctx: &Context<'a>) -> &'a Client {
    ctx.data_unchecked::<Arc<Client>>()
}

/// The batched loads.
pub fn loaders<'a>(ctx: &Context<'a>) -> &'a Arc<Loaders> {
    ctx.data_unchecked::<Arc<Loaders>>()
}

/// What somebody is to the platform. Each role includes the rights of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "auth::Role")]
pub enum Role {
    /// Learns. Everybody who is signed in is at least this.
    Student,
    /// Teaches: creates courses and edits their own.
    Instructor,
    /// Runs the platform.
    Admin,
}

/// What a personal API token may be limited to. A token can do no more than its owner: a scope opens what the owner's
/// role allows. What everybody sees needs no scope. Whatever no scope is named for needs a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "auth::Scope")]
pub enum Scope {
    /// The owner's own account: `viewer`, and what only they see of themselves, as the e-mail address.
    ReadAccount,
    /// Drafts that the owner may see: courses and lessons, wherever everybody sees the published ones. What the owner
    /// is enrolled in, with its content.
    ReadCourses,
    /// Authoring: every mutation of courses, sections and lessons, and uploading videos. Includes READ_COURSES.
    WriteCourses,
    /// What not everybody sees of a user, as far as the owner may see it: for administrators the list of users, and
    /// everybody's e-mail address, ban and linked services.
    ReadUsers,
}

pub use rules::{public, requires, scoped};

/// The stated rules: who may select a field. The macro makes undocumented items of them.
#[allow(missing_docs)]
mod rules {
    use std::borrow::Cow;

    use async_graphql::TypeDirective;
    use async_graphql::registry::location_traits::Directive_At_FIELD_DEFINITION;
    use async_graphql::registry::{MetaDirectiveInvocation, Registry};

    use super::{Role, Scope};

    /// Only a signed-in user with this role, or a higher one, may select the field. A personal API token needs the
    /// scope; where none is named, it is not accepted at all.
    #[TypeDirective(name = "requires", location = "FieldDefinition")]
    pub fn rule(role: Role, scope: Option<Scope>) {}

    /// Everybody may select the field, signed in or not.
    #[TypeDirective(location = "FieldDefinition")]
    pub fn public() {}

    /// `@requires(role: …)`: goes with the guard [`super::Requires`].
    #[allow(non_camel_case_types)]
    pub struct requires;

    impl requires {
        pub fn apply(role: Role) -> MetaDirectiveInvocation {
            rule::apply(role, None)
        }
    }

    /// `@requires(role: …, scope: …)`: goes with the guard [`super::Scoped`].
    #[allow(non_camel_case_types)]
    pub struct scoped;

    impl scoped {
        pub fn apply(role: Role, scope: Scope) -> MetaDirectiveInvocation {
            rule::apply(role, Some(scope))
        }
    }

    /// Two ways to write one directive.
    macro_rules! writes_rule {
        ($($way:ident),*) => {$(
            impl TypeDirective for $way {
                fn name(&self) -> Cow<'static, str> {
                    rule.name()
                }

                fn register(&self, registry: &mut Registry) {
                    rule.register(registry);
                }
            }

            impl Directive_At_FIELD_DEFINITION for $way {}
        )*};
    }
    writes_rule!(requires, scoped);
}

/// The guard behind `@requires` without a scope: only in a session.
pub struct Requires(pub Role);

impl Guard for Requires {
    async fn check(&self, ctx: &Context<'_>) -> async_graphql::Result<()> {
        require_role(bearer(ctx), self.0)?;
        if bearer(ctx).in_session() == &Actor::Anonymous {
            let message = "This needs a session: no scope opens it to a personal API token.";
            return Err(Error::Forbidden(message.into()).into());
        }
        Ok(())
    }
}

/// The guard behind `@requires` with a scope: in a session, or with an API token that has the scope.
pub struct Scoped(pub Role, pub Scope);

impl Guard for Scoped {
    async fn check(&self, ctx: &Context<'_>) -> async_graphql::Result<()> {
        require_role(bearer(ctx), self.0)?;
        if within(ctx, self.1) == &Actor::Anonymous {
            let scope = auth::Scope::from(self.1).as_str();
            return Err(Error::Forbidden(format!("This needs the scope {scope}, which the API token lacks.")).into());
        }
        Ok(())
    }
}

fn require_role(actor: &Actor, role: Role) -> Result<(), Error> {
    let role = auth::Role::from(role);
    match actor {
        actor if actor.has(role) => Ok(()),
        Actor::Anonymous => Err(Error::Unauthenticated("Sign in first.".into())),
        Actor::User { role: own, .. } => Err(Error::Forbidden(format!("This needs the role {role}; yours is {own}."))),
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Request, Schema};
    use chrono::{DateTime, Utc};
    use uuid::Uuid;

    use super::*;
    use crate::platform::auth::Scopes;

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
            let response = schema.execute(Request::new("{ inSession inScope }").data(actor)).await;
            let expected = async_graphql::value!({ "inSession": in_session, "inScope": in_scope });
            assert_eq!(response.data, expected, "{who}");
        }
    }
}
