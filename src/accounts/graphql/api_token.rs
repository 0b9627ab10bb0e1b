//! Personal API tokens in the schema. Only a session handles them: a token that could make tokens would have no limits.

use std::cmp::Reverse;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::accounts::command;
use crate::accounts::model::{ApiToken, ApiTokenId, CreateApiTokenInput, RevokeApiTokenInput};
use crate::graphql::context::{Role, Scope, actor, app, client, requires};
use crate::graphql::error::payload;
use crate::graphql::page::slice;
use crate::graphql::{Connection, Inline, PageArgs, Requires, Result, UserError};

const API_TOKENS: &str = "apiTokens";

/// A personal API token in the schema, as its owner sees it.
#[derive(Clone)]
pub(super) struct ApiTokenObject(ApiToken);

/// A token with which a program acts for the viewer, within its scopes. The text to send is shown once, by
/// `createApiToken`.
#[Object(name = "ApiToken")]
impl ApiTokenObject {
    /// Identifies the token; this is not the text to send.
    async fn id(&self) -> ApiTokenId {
        self.0.id
    }

    /// What it is for.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is limited to.
    async fn scopes(&self) -> Vec<Scope> {
        self.0.scopes.iter().map(Scope::from).collect()
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it ends. It is listed for a month more.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }

    /// When it was last used, to within a minute; null if it never was.
    async fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_used_at
    }

    /// The network address that used it then.
    async fn last_used_ip(&self) -> Option<&str> {
        self.0.last_used_ip.as_deref()
    }
}

/// The answer to `createApiToken`.
#[derive(SimpleObject)]
pub(super) struct CreateApiTokenPayload {
    /// The new token; null when there are userErrors.
    api_token: Option<Inline<ApiTokenObject>>,
    /// What the program sends, as `Authorization: Bearer …`. It is shown this once and can't be found out again. Null
    /// when there are userErrors.
    token: Option<String>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `revokeApiToken`.
#[derive(SimpleObject)]
pub(super) struct RevokeApiTokenPayload {
    /// The token that has ended; null when there are userErrors.
    api_token_id: Option<ApiTokenId>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The queries about API tokens.
#[derive(Default)]
pub(super) struct ApiTokenQuery;

#[Object]
impl ApiTokenQuery {
    /// The viewer's personal API tokens that are not revoked, the newest first.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn api_tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, from the start; 1 to 100, 20 if neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most this many, from the end; 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Inline<Connection<ApiTokenObject>>> {
        let tokens = command::api_tokens(app(ctx), actor(ctx)).await?;
        let objects = tokens.into_iter().map(ApiTokenObject).collect();
        let args = PageArgs { first, after, last, before };
        slice(args, API_TOKENS, objects, |ApiTokenObject(token)| -> (Reverse<i64>, Reverse<Uuid>) {
            (Reverse(token.created_at.timestamp_micros()), Reverse(token.id.uuid()))
        })
        .map(Inline)
    }
}

/// What can be done with API tokens.
#[derive(Default)]
pub(super) struct ApiTokenMutation;

#[Object]
impl ApiTokenMutation {
    /// Makes a token for a program that acts for the viewer: within its scopes, and never with more rights than the
    /// viewer has at the time.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn create_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new token.")] input: CreateApiTokenInput,
    ) -> Result<Option<Inline<CreateApiTokenPayload>>> {
        let outcome = command::create_api_token(app(ctx), actor(ctx), client(ctx), input).await;
        let (created, user_errors) = payload(outcome)?;
        let (api_token, token) = created.map(|made| (Inline(ApiTokenObject(made.row)), made.token)).unzip();
        Ok(Some(Inline(CreateApiTokenPayload { api_token, token, user_errors })))
    }

    /// Ends one of the viewer's tokens. It is refused, and its sockets close, within a second.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn revoke_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which token.")] input: RevokeApiTokenInput,
    ) -> Result<Option<Inline<RevokeApiTokenPayload>>> {
        let outcome = command::revoke_api_token(app(ctx), actor(ctx), client(ctx), input).await;
        let (api_token_id, user_errors) = payload(outcome)?;
        Ok(Some(Inline(RevokeApiTokenPayload { api_token_id, user_errors })))
    }
}
