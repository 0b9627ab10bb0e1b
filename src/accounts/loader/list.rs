//! Loaders for filtered lists, each page with its own statement.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use uuid::Uuid;

use crate::accounts::model::{
    AuditEntry, AuditFilter, JobId, ListedJob, Session, SessionFilter, User, UserFilter, UserListPage,
};
use crate::accounts::query::audit;
use crate::accounts::query::directory;
use crate::accounts::query::session_list::{self, SessionKey};
use crate::graphql::loaders::Load;
use crate::graphql::page::Page;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::list::{self, Part, Which};

/// Loads a page of the users for administrators, in the page's direction.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UsersPage {
    /// Which users.
    pub filter: UserFilter,
    /// Whether the oldest are first.
    pub ascending: bool,
    /// The page.
    pub page: UserListPage,
}

impl Load for UsersPage {
    type Value = Vec<User>;
    const ALONE: bool = true;

    fn is_valid(&self) -> bool {
        is_storable(&self.filter)
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Vec<User>>, InternalError> {
        let now = app.clock.now();
        let read = app.db.read_each(keys, |conn, key| {
            directory::page(conn, directory::Which { filter: &key.filter, now }, key.ascending, &key.page).boxed()
        });
        read.await
    }
}

/// Loads the number of the users that match a filter.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UserCount(pub UserFilter);

impl Load for UserCount {
    type Value = i64;
    const ALONE: bool = true;

    fn is_valid(&self) -> bool {
        is_storable(&self.0)
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        let now = app.clock.now();
        app.db
            .read_each(keys, |conn, key| directory::count(conn, directory::Which { filter: &key.0, now }).boxed())
            .await
    }
}

/// Returns whether PostgreSQL takes the text of the filter: it rejects the NUL character, which no name contains.
fn is_storable(filter: &UserFilter) -> bool {
    filter.query.as_ref().is_none_or(|query| !query.contains('\0'))
}

/// Loads a page of everybody's sessions, newest first, in the page's direction.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionsPage(pub SessionFilter, pub Page<SessionKey>);

impl Load for SessionsPage {
    type Value = Vec<Session>;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Vec<Session>>, InternalError> {
        let now = app.clock.now();
        app.db.read_each(keys, |conn, key| session_list::page(conn, &key.0, now, &key.1).boxed()).await
    }
}

/// Loads the number of the sessions that match a filter.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MatchingSessions(pub SessionFilter);

impl Load for MatchingSessions {
    type Value = i64;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        let now = app.clock.now();
        app.db.read_each(keys, |conn, key| session_list::count(conn, &key.0, now).boxed()).await
    }
}

/// Loads a job of the queue by id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct JobById(pub JobId);

impl Load for JobById {
    type Value = Arc<ListedJob>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<ListedJob>>, InternalError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0.uuid()).collect();
        let rows = list::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|job| (JobById(JobId::new(job.id)), Arc::new(job))).collect())
    }
}

/// Loads a page of the queue of jobs, newest first, in the page's direction.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct JobsPage(pub Which, pub Part);

impl Load for JobsPage {
    type Value = Vec<ListedJob>;
    const ALONE: bool = true;

    fn is_valid(&self) -> bool {
        names_storable(&self.0)
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Vec<ListedJob>>, InternalError> {
        let now = app.clock.now();
        app.db.read_each(keys, |conn, key| list::list(conn, &key.0, &key.1, now).boxed()).await
    }
}

/// Loads the number of the jobs that match.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct JobCount(pub Which);

impl Load for JobCount {
    type Value = i64;
    const ALONE: bool = true;

    fn is_valid(&self) -> bool {
        names_storable(&self.0)
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        let now = app.clock.now();
        app.db.read_each(keys, |conn, key| list::count(conn, &key.0, now).boxed()).await
    }
}

/// Returns whether PostgreSQL takes the names of the handlers.
fn names_storable(which: &Which) -> bool {
    which.handlers.iter().flatten().all(|name| !name.contains('\0'))
}

/// Loads a page of the audit trail, newest first, in the page's direction.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AuditPage(pub AuditFilter, pub Page<(DateTime<Utc>, Uuid)>);

impl Load for AuditPage {
    type Value = Vec<AuditEntry>;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Vec<AuditEntry>>, InternalError> {
        app.db.read_each(keys, |conn, key| audit::page(conn, &key.0, &key.1).boxed()).await
    }
}

/// Loads the number of the entries of the audit trail that match a filter.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AuditCount(pub AuditFilter);

impl Load for AuditCount {
    type Value = i64;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        app.db.read_each(keys, |conn, key| audit::count(conn, &key.0).boxed()).await
    }
}
