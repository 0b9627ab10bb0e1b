//! Loads entitlements in batches. They are not cached across requests, so that the end of an access takes effect with
//! the next request.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::{FutureExt, TryFutureExt};
use uuid::Uuid;

use super::model::{Active, Entitlement, EntitlementId};
use super::query;
use crate::accounts::UserId;
use crate::graphql::loaders::{Load, shared};
use crate::graphql::page::Page;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// The key of a user's open and expired entitlements that may cover a course; missing if there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Held {
    /// The user.
    pub user: UserId,
    /// The course.
    pub course: Uuid,
}

impl Load for Held {
    type Value = Arc<Vec<Entitlement>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let (users, courses) = keys.iter().map(|key| (key.user, key.course)).unzip();
        let mut found: HashMap<Held, Vec<Entitlement>> = HashMap::new();
        for held in query::held(&mut *app.db.read().await?, users, courses).await? {
            found.entry(Held { user: held.row.user_id, course: held.wanted }).or_default().push(held.row);
        }
        Ok(found.into_iter().map(|(key, rows)| (key, Arc::new(rows))).collect())
    }
}

/// The key of a page of the entitlements to a course, in the direction of the page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LedgerPage(pub Uuid, pub Page<(DateTime<Utc>, Uuid)>);

impl Load for LedgerPage {
    type Value = Vec<Arc<Entitlement>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        app.db.read_each(keys, |conn, key| query::of_course(conn, key.0, &key.1).map_ok(shared).boxed()).await
    }
}

/// The key of the number of entitlements to a course; missing if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LedgerCount(pub Uuid);

impl Load for LedgerCount {
    type Value = i64;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        let courses: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let counts = query::count_of_courses(&mut *app.db.read().await?, &courses).await?;
        Ok(counts.into_iter().filter_map(|(course, count)| Some((LedgerCount(course?), count))).collect())
    }
}

/// What a user has active access to; missing if that is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ActiveOf(pub UserId);

impl Load for ActiveOf {
    type Value = Arc<Active>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let users: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<Self, Active> = HashMap::new();
        for (user, scope, course, category) in
            query::active_targets(&mut *app.db.read().await?, &users, app.clock.now()).await?
        {
            found.entry(ActiveOf(user)).or_default().add(scope, course, category);
        }
        Ok(found.into_iter().map(|(key, active)| (key, Arc::new(active))).collect())
    }
}

/// The key of all entitlements of a user that may cover a course, ended ones included, latest first; missing if there are
/// none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ledger {
    /// The user.
    pub user: UserId,
    /// The course.
    pub course: Uuid,
}

impl Load for Ledger {
    type Value = Arc<Vec<Arc<Entitlement>>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let (users, courses) = keys.iter().map(|key| (key.user, key.course)).unzip();
        let mut found: HashMap<Ledger, Vec<Arc<Entitlement>>> = HashMap::new();
        for line in query::ledger(&mut *app.db.read().await?, users, courses).await? {
            found.entry(Ledger { user: line.row.user_id, course: line.wanted }).or_default().push(Arc::new(line.row));
        }
        Ok(found.into_iter().map(|(key, rows)| (key, Arc::new(rows))).collect())
    }
}

/// Loads an entitlement by id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntitlementById(pub EntitlementId);

impl Load for EntitlementById {
    type Value = Arc<Entitlement>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Entitlement>>, InternalError> {
        let ids: Vec<EntitlementId> = keys.iter().map(|key| key.0).collect();
        let rows = query::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (EntitlementById(row.id), Arc::new(row))).collect())
    }
}
