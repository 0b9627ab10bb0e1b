//! Accounts in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::loader::UserById;
use super::model::{ChangeUserRoleInput, RegisterInput, SignInInput, SignedIn, User, UserId};
use super::{command, policy};
use crate::graphql::context::{Role, actor, app, loaders, public, requires};
use crate::graphql::error::payload;
use crate::graphql::{Error, Inline, Requires, Result, UserError};

/// A user in the schema.
#[derive(Clone)]
pub struct UserObject(pub Arc<User>);

/// Somebody with an account.
#[Object(name = "User")]
impl UserObject {
    /// Identifies the user.
    pub async fn id(&self) -> UserId {
        self.0.id
    }

    /// The name that others see.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The e-mail address. Only its owner and administrators see it; for others it is null, with an error.
    async fn email(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        if policy::can_see_email(actor(ctx), &self.0) {
            Ok(Some(&self.0.email))
        } else {
            Err(Error::Forbidden("Only the owner of an account sees its e-mail address.".into()))
        }
    }

    /// What the user is to the platform.
    async fn role(&self) -> Role {
        self.0.role.into()
    }

    /// When the user registered.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// The account queries.
#[derive(Default)]
pub struct AccountsQuery;

#[Object]
impl AccountsQuery {
    /// The signed-in user; null when nobody is signed in.
    #[graphql(directive = public::apply())]
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Option<Inline<UserObject>>> {
        let Some(id) = actor(ctx).id() else { return Ok(None) };
        let user = loaders(ctx).load(UserById(UserId::new(id))).await?;
        Ok(user.map(|user| Inline(UserObject(user))))
    }
}

/// The answer to `register`.
#[derive(SimpleObject)]
pub(super) struct RegisterPayload {
    /// The new user; null when there are userErrors.
    user: Option<Inline<UserObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `signIn`.
#[derive(SimpleObject)]
pub(super) struct SignInPayload {
    /// Who signed in; null when there are userErrors.
    user: Option<Inline<UserObject>>,
    /// Send it as `Authorization: Bearer …`, or as `authorization` in the payload of connection_init.
    access_token: Option<String>,
    /// When the access token ends.
    expires_at: Option<DateTime<Utc>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `changeUserRole`.
#[derive(SimpleObject)]
pub(super) struct ChangeUserRolePayload {
    /// The user with the new role; null when there are userErrors.
    user: Option<Inline<UserObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The account mutations.
#[derive(Default)]
pub struct AccountsMutation;

#[Object]
impl AccountsMutation {
    /// Gives somebody an account as a student. It is active at once.
    #[graphql(directive = public::apply())]
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who registers.")] input: RegisterInput,
    ) -> Result<Option<Inline<RegisterPayload>>> {
        let (user, user_errors) = payload(command::register(app(ctx), actor(ctx), input).await)?;
        Ok(Some(Inline(RegisterPayload { user: user.map(object), user_errors })))
    }

    /// Exchanges an e-mail address and a password for an access token.
    #[graphql(directive = public::apply())]
    async fn sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The address and the password.")] input: SignInInput,
    ) -> Result<Option<Inline<SignInPayload>>> {
        let (signed_in, user_errors) = payload(command::sign_in(app(ctx), actor(ctx), input).await)?;
        let (user, access_token, expires_at) = match signed_in {
            Some(SignedIn { user, access_token, expires_at }) => (Some(user), Some(access_token), Some(expires_at)),
            None => (None, None, None),
        };
        Ok(Some(Inline(SignInPayload { user: user.map(object), access_token, expires_at, user_errors })))
    }

    /// Gives a user another role. It counts from their next sign-in on.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn change_user_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who gets which role.")] input: ChangeUserRoleInput,
    ) -> Result<Option<Inline<ChangeUserRolePayload>>> {
        let (user, user_errors) = payload(command::change_role(app(ctx), actor(ctx), input).await)?;
        Ok(Some(Inline(ChangeUserRolePayload { user: user.map(object), user_errors })))
    }
}

fn object(user: User) -> Inline<UserObject> {
    Inline(UserObject(Arc::new(user)))
}
