//! Sessions in the schema, and the list of everybody's.

use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};

use super::user::{UserObject, user_node};
use crate::accounts::loader::{MatchingSessions, SessionById, SessionCount, SessionsOf, SessionsPage};
use crate::accounts::model::{Device, Session, SessionEnd, SessionFilter, SessionId, UserId};
use crate::accounts::{error, policy};
use crate::graphql::context::{actor, loaders};
use crate::graphql::guard::{Role, requires};
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::{Connection, PageArgs, Requires, Result, Sequential};

const ALL_SESSIONS: &str = "all sessions";
const SESSIONS_OF_USER: &str = "user.sessions";

/// A session in the schema.
#[derive(Clone)]
pub(super) struct SessionObject(pub(super) Arc<Session>);

/// A session of a user on one device. Only the user and administrators see it. It is kept for a month after its end.
#[Object(name = "Session")]
impl SessionObject {
    /// The id of the session.
    async fn id(&self) -> SessionId {
        self.0.id
    }

    /// The user who signed in; null if the account was deleted.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        Ok(user_node(ctx, self.0.user_id).await?.map(Sequential))
    }

    /// The device, as far as its user agent identifies it.
    async fn device(&self) -> Sequential<Device> {
        Sequential(Device::of(&self.0.user_agent))
    }

    /// The last IP address of the device; null if it is unknown.
    async fn ip(&self) -> Option<&str> {
        self.0.ip.as_deref()
    }

    /// When the user signed in on the device.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the session was last refreshed. The last use may be later by up to the lifetime of an access token.
    async fn last_used_at(&self) -> DateTime<Utc> {
        self.0.last_used_at
    }

    /// When the session expires unless it is refreshed before.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }

    /// When the session was ended before it expired; null if it was not.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }

    /// Why the session was ended before it expired; null if it was not, or if this version of the server does not know
    /// the reason.
    async fn end_reason(&self) -> Option<SessionEnd> {
        SessionEnd::parse(self.0.end_reason.as_deref()?)
    }

    /// Whether this request belongs to the session.
    async fn is_current(&self, ctx: &Context<'_>) -> bool {
        actor(ctx).session() == Some(self.0.id.uuid())
    }
}

/// The session list queries.
#[derive(Default)]
pub(super) struct SessionListQuery;

#[Object]
impl SessionListQuery {
    /// The sessions of all users, newest first; also those that have ended, for a month.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    #[allow(clippy::too_many_arguments)]
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which sessions to return; defaults to all.")] filter: Option<SessionFilter>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<SessionObject>>>> {
        let filter = filter.unwrap_or_default();
        let page = PageArgs { first, after, last, before }.timed_page(ALL_SESSIONS)?;
        if let Some(text) = filter.ip.as_deref().filter(|_| filter.network().is_none()) {
            return Err(error::no_network(text));
        }
        let rows = loaders(ctx).load(SessionsPage(filter.clone(), page.clone())).await?.unwrap_or_default();
        let connection = page.connection(
            rows,
            |row| SessionObject(Arc::new(row)),
            |SessionObject(row)| encode_cursor(ALL_SESSIONS, &(row.created_at.timestamp_micros(), row.id)),
        );
        if !wants_total(ctx) {
            return Ok(Some(Sequential(connection)));
        }
        let total = loaders(ctx).load(MatchingSessions(filter)).await?.unwrap_or_default();
        Ok(Some(Sequential(connection.with_total(total))))
    }
}

/// Returns a page of a user's sessions. The caller has checked that the viewer may see them.
pub(super) async fn sessions_of(
    ctx: &Context<'_>,
    user: UserId,
    args: PageArgs,
) -> Result<Option<Sequential<Connection<SessionObject>>>> {
    let page = args.timed_page(SESSIONS_OF_USER)?;
    let rows = loaders(ctx).load(SessionsOf(user, page.clone())).await?.unwrap_or_default();
    let connection = page.connection(rows, SessionObject, |SessionObject(row)| {
        encode_cursor(SESSIONS_OF_USER, &(row.created_at.timestamp_micros(), row.id))
    });
    if !wants_total(ctx) {
        return Ok(Some(Sequential(connection)));
    }
    let total = loaders(ctx).load(SessionCount(user)).await?.unwrap_or_default();
    Ok(Some(Sequential(connection.with_total(total))))
}

/// Returns a session to its user and to administrators.
pub(super) async fn session_node(ctx: &Context<'_>, id: SessionId) -> Result<Option<SessionObject>> {
    let session = loaders(ctx).load(SessionById(id)).await?;
    let seen = session.filter(|session| policy::can_see_private(actor(ctx), session.user_id));
    Ok(seen.map(SessionObject))
}
