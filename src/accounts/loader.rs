//! Batched and cached loading of users.

mod list;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::{FutureExt, TryFutureExt};

use super::model::{
    ApiToken, ApiTokenId, AuditEntry, Identity, IdentityId, InvitationId, Session, SessionId, TeamInvitation, User,
    UserId, user_key,
};
use super::query::session_list::{self, SessionKey};
use super::query::{api_token, audit, identity, named, profile, session, team, user as query};
use crate::graphql::Id;
use crate::graphql::loaders::{Load, shared};
use crate::graphql::page::Page;
use crate::platform::App;
use crate::platform::db::CacheKey;
use crate::platform::internal_error::InternalError;

pub use list::{
    AuditCount, AuditPage, JobById, JobCount, JobsPage, MatchingSessions, SessionsPage, UserCount, UsersPage,
};

/// Bytes of text that count as one cached row.
const ROW_BYTES: usize = 256;

/// Loads a user by id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserById(pub UserId);

impl Load for UserById {
    type Value = Arc<User>;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![user_key(self.0)]
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<User>>, InternalError> {
        let ids: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let users = query::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(users.into_iter().map(|user| (UserById(user.id), Arc::new(user))).collect())
    }
}

/// Loads the instructors and administrators whose names match a `tsquery`, in the order of their names; at most 500.
///
/// They are neither banned nor deleted. Who gets a matching name is found after a second at most.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TeamNamed(pub String);

impl Load for TeamNamed {
    type Value = Arc<Vec<Arc<User>>>;
    const CACHED: bool = true;
    const ALONE: bool = true;

    fn depends_on(&self, users: Option<&Self::Value>) -> Vec<CacheKey> {
        users.into_iter().flat_map(|users| users.iter()).map(|user| user_key(user.id)).collect()
    }

    fn rows(users: &Self::Value) -> usize {
        1 + users.len()
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let now = app.clock.now();
        let read = app
            .db
            .read_each(keys, |conn, key| named::team_named(conn, &key.0, now).map_ok(shared).map_ok(Arc::new).boxed());
        read.await
    }
}

/// Loads the linked identities of a user, in the order in which they were linked.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdentitiesOf(pub UserId);

impl Load for IdentitiesOf {
    type Value = Arc<Vec<Identity>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Vec<Identity>>>, InternalError> {
        let users: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<Self, Vec<Identity>> = HashMap::new();
        for linked in identity::of_users(&mut *app.db.read().await?, &users).await? {
            found.entry(IdentitiesOf(linked.user_id)).or_default().push(linked);
        }
        Ok(found.into_iter().map(|(key, linked)| (key, Arc::new(linked))).collect())
    }
}

/// Loads the bio of a user.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BioOf(pub UserId);

impl Load for BioOf {
    type Value = Arc<str>;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![user_key(self.0)]
    }

    fn rows(bio: &Arc<str>) -> usize {
        1 + bio.len() / ROW_BYTES
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<str>>, InternalError> {
        let ids: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let bios = profile::bios(&mut *app.db.read().await?, &ids).await?;
        Ok(bios.into_iter().map(|(id, bio)| (BioOf(id), bio.into())).collect())
    }
}

/// Loads a session by id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionById(pub SessionId);

impl Load for SessionById {
    type Value = Arc<Session>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Session>>, InternalError> {
        let ids: Vec<SessionId> = keys.iter().map(|key| key.0).collect();
        let rows = session::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (SessionById(row.id), Arc::new(row))).collect())
    }
}

/// Loads a page of a user's sessions, newest first, in the page's direction.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionsOf(pub UserId, pub Page<SessionKey>);

impl Load for SessionsOf {
    type Value = Vec<Arc<Session>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        app.db.read_each(keys, |conn, key| session_list::of_user(conn, key.0, &key.1).map_ok(shared).boxed()).await
    }
}

/// Loads the number of a user's sessions; missing if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionCount(pub UserId);

impl Load for SessionCount {
    type Value = i64;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        let users: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let counts = session_list::count_of_users(&mut *app.db.read().await?, &users).await?;
        Ok(counts.into_iter().map(|(user, count)| (SessionCount(user), count)).collect())
    }
}

/// Loads when a user signed in last; missing if they never did.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LastSignIn(pub UserId);

impl Load for LastSignIn {
    type Value = DateTime<Utc>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, DateTime<Utc>>, InternalError> {
        let users: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let times = session_list::last_sign_ins(&mut *app.db.read().await?, &users).await?;
        Ok(times.into_iter().map(|(user, at)| (LastSignIn(user), at)).collect())
    }
}

/// Loads an API token by id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ApiTokenById(pub ApiTokenId);

impl Load for ApiTokenById {
    type Value = Arc<ApiToken>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<ApiToken>>, InternalError> {
        let ids: Vec<ApiTokenId> = keys.iter().map(|key| key.0).collect();
        let rows = api_token::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (ApiTokenById(row.id), Arc::new(row))).collect())
    }
}

/// Loads a linked identity by id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdentityById(pub IdentityId);

impl Load for IdentityById {
    type Value = Arc<Identity>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Identity>>, InternalError> {
        let ids: Vec<IdentityId> = keys.iter().map(|key| key.0).collect();
        let rows = identity::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (IdentityById(row.id), Arc::new(row))).collect())
    }
}

/// Loads an invitation to the team by id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct InvitationById(pub InvitationId);

impl Load for InvitationById {
    type Value = Arc<TeamInvitation>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<TeamInvitation>>, InternalError> {
        let ids: Vec<InvitationId> = keys.iter().map(|key| key.0).collect();
        let rows = team::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (InvitationById(row.id), Arc::new(row))).collect())
    }
}

/// Loads an entry of the audit trail by id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AuditEntryById(pub Id<AuditEntry>);

impl Load for AuditEntryById {
    type Value = Arc<AuditEntry>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<AuditEntry>>, InternalError> {
        let ids: Vec<Id<AuditEntry>> = keys.iter().map(|key| key.0).collect();
        let rows = audit::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (AuditEntryById(row.id), Arc::new(row))).collect())
    }
}
