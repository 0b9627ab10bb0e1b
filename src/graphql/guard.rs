//! Authorization rules of fields: guards, and the directives that state them in the schema.

use async_graphql::{Context, Guard};

use super::context::{bearer, within};
use super::error::Error;
use crate::platform::auth::{self, Actor};

pub use super::role::{Role, Scope};
pub use rules::{owned, public, requires, scoped};

/// The directives that state authorization rules. The macro generates undocumented items.
#[allow(missing_docs)]
mod rules {
    use std::borrow::Cow;

    use async_graphql::TypeDirective;
    use async_graphql::registry::location_traits::Directive_At_FIELD_DEFINITION;
    use async_graphql::registry::{MetaDirectiveInvocation, Registry};

    use super::{Role, Scope};

    /// Only a signed-in user with this role or a higher one may select the field. A personal API token needs the given
    /// scope; if no scope is given, API tokens are forbidden. With `owner`, the user that the object belongs to may
    /// select it as well, whatever their role.
    #[TypeDirective(name = "auth", location = "FieldDefinition")]
    pub fn rule(role: Role, scope: Option<Scope>, owner: Option<bool>) {}

    /// Every client may select the field, signed in or not.
    #[TypeDirective(location = "FieldDefinition")]
    pub fn public() {}

    /// `@auth(role: …)`, used together with the guard [`super::Requires`].
    #[allow(non_camel_case_types)]
    pub struct requires;

    impl requires {
        pub fn apply(role: Role) -> MetaDirectiveInvocation {
            rule::apply(role, None, None)
        }
    }

    /// `@auth(role: …, scope: …)`, used together with the guard [`super::Scoped`].
    #[allow(non_camel_case_types)]
    pub struct scoped;

    impl scoped {
        pub fn apply(role: Role, scope: Scope) -> MetaDirectiveInvocation {
            rule::apply(role, Some(scope), None)
        }
    }

    /// `@auth(role: …, scope: …, owner: true)`, for fields whose resolvers check whose object it is.
    #[allow(non_camel_case_types)]
    pub struct owned;

    impl owned {
        pub fn apply(role: Role, scope: Option<Scope>) -> MetaDirectiveInvocation {
            rule::apply(role, scope, Some(true))
        }
    }

    /// Implements the `@auth` directive for all types.
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
    writes_rule!(requires, scoped, owned);
}

/// The guard behind `@auth` without a scope: requires a session.
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

/// The guard behind `@auth` with a scope: requires a session or a token with the scope.
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
