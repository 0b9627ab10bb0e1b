//! Personal API tokens in the schema.
//!
//! They can be managed only in a session: a token that could create tokens would have no limits.

use std::cmp::Reverse;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::accounts::command;
use crate::accounts::loader::ApiTokenById;
use crate::accounts::model::{ApiToken, ApiTokenId, CreateApiTokenInput, RevokeApiTokenInput};
use crate::graphql::context::{actor, app, client, loaders};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, requires};
use crate::graphql::page::slice;
use crate::graphql::{Connection, PageArgs, Requires, Result, Sequential, UserError};

const API_TOKENS: &str = "apiTokens";

/// A personal API token in the schema, as its owner sees it.
#[derive(Clone)]
pub(super) struct ApiTokenObject(ApiToken);

/// A token with which a program acts for the viewer, within its scopes. The secret is returned only once, by
/// `createApiToken`.
#[Object(name = "ApiToken")]
impl ApiTokenObject {
    /// The id of the token; this is not the secret.
    async fn id(&self) -> ApiTokenId {
        self.0.id
    }

    /// What the token is for.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The scopes that the token is limited to.
    async fn scopes(&self) -> Vec<Scope> {
        self.0.scopes.iter().map(Scope::from).collect()
    }

    /// When the token was created.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the token expires. It stays listed for another month.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }

    /// When the token was last used, accurate to a minute; null if it never was.
    async fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_used_at
    }

    /// The IP address that the token was last used from; null if it is unknown.
    async fn last_used_ip(&self) -> Option<&str> {
        self.0.last_used_ip.as_deref()
    }
}

/// The payload of `createApiToken`.
#[derive(SimpleObject)]
pub(super) struct CreateApiTokenPayload {
    /// The new token; null if there are `userErrors`.
    api_token: Option<Sequential<ApiTokenObject>>,
    /// The secret, which the program sends as `Authorization: Bearer …`. It is not shown again. Null if there are
    /// `userErrors`, or if an earlier request with the same `idempotencyKey` created the token.
    token: Option<String>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `revokeApiToken`.
#[derive(SimpleObject)]
pub(super) struct RevokeApiTokenPayload {
    /// The token that was revoked; null if there are `userErrors`.
    api_token_id: Option<ApiTokenId>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The viewer's API tokens.
#[derive(Default)]
pub(super) struct ViewerApiTokens;

#[Object]
impl ViewerApiTokens {
    /// The personal API tokens that are not revoked, the newest first.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn api_tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<ApiTokenObject>>>> {
        let tokens = command::api_tokens(app(ctx), actor(ctx)).await?;
        let objects = tokens.into_iter().map(ApiTokenObject).collect();
        let args = PageArgs { first, after, last, before };
        slice(args, API_TOKENS, objects, |ApiTokenObject(token)| -> (Reverse<i64>, Reverse<Uuid>) {
            (Reverse(token.created_at.timestamp_micros()), Reverse(token.id.uuid()))
        })
        .map(|page| Some(Sequential(page)))
    }
}

/// The API token mutations.
#[derive(Default)]
pub(super) struct ApiTokenMutation;

#[Object]
impl ApiTokenMutation {
    /// Creates a token for a program that acts for the viewer. Its rights are limited by its scopes and by the current
    /// rights of the viewer. This needs a recent sign-in or `reauthenticate`; an email tells the viewer.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn create_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new token.")] input: CreateApiTokenInput,
    ) -> Result<Option<Sequential<CreateApiTokenPayload>>> {
        let outcome = command::create_api_token(app(ctx), actor(ctx), client(ctx), input).await;
        let (created, user_errors) = payload(outcome)?;
        let (api_token, token) = created.map(|made| (Sequential(ApiTokenObject(made.row)), made.token)).unzip();
        Ok(Some(Sequential(CreateApiTokenPayload { api_token, token: token.flatten(), user_errors })))
    }

    /// Revokes one of the viewer's tokens. Within a second it is rejected and its WebSocket connections close.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn revoke_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token to revoke.")] input: RevokeApiTokenInput,
    ) -> Result<Option<Sequential<RevokeApiTokenPayload>>> {
        let outcome = command::revoke_api_token(app(ctx), actor(ctx), client(ctx), input).await;
        let (api_token_id, user_errors) = payload(outcome)?;
        Ok(Some(Sequential(RevokeApiTokenPayload { api_token_id, user_errors })))
    }
}

/// Returns an API token of the viewer that is not revoked.
pub(super) async fn api_token_node(ctx: &Context<'_>, id: ApiTokenId) -> Result<Option<ApiTokenObject>> {
    let token = loaders(ctx).load(ApiTokenById(id)).await?;
    let token = token.filter(|token| token.revoked_at.is_none() && actor(ctx).is(token.user_id));
    Ok(token.map(|token| ApiTokenObject(ApiToken::clone(&token))))
}
