//! What a resolver can ask its context for, and the guard that says who may call it.

use std::sync::Arc;

use async_graphql::{Context, Enum, Guard};

use super::error::Error;
use super::loaders::Loaders;
use crate::platform::App;
use crate::platform::auth::{self, Actor, Client};

/// The application.
pub fn app<'a>(ctx: &Context<'a>) -> &'a App {
    ctx.data_unchecked::<App>()
}

/// Who asks.
pub fn actor<'a>(ctx: &Context<'a>) -> &'a Actor {
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

pub use rules::{public, requires};

/// The stated rules: who may select a field. The macro makes undocumented items of them.
#[allow(missing_docs)]
mod rules {
    use async_graphql::TypeDirective;

    use super::Role;

    /// Only a signed-in user with this role, or a higher one, may select the field.
    #[TypeDirective(location = "FieldDefinition")]
    pub fn requires(role: Role) {}

    /// Everybody may select the field, signed in or not.
    #[TypeDirective(location = "FieldDefinition")]
    pub fn public() {}
}

/// The guard behind `@requires`.
pub struct Requires(pub Role);

impl Guard for Requires {
    async fn check(&self, ctx: &Context<'_>) -> async_graphql::Result<()> {
        let role = auth::Role::from(self.0);
        Ok(match actor(ctx) {
            actor if actor.has(role) => Ok(()),
            Actor::Anonymous => Err(Error::Unauthenticated("Sign in first.".into())),
            Actor::User { role: own, .. } => {
                Err(Error::Forbidden(format!("This needs the role {role}; yours is {own}.")))
            }
        }?)
    }
}
