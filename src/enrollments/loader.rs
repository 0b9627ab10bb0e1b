//! Entitlements in batches. They depend on the viewer, so nothing is kept: access that ends has ended for the next
//! request.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::try_join_all;

use super::model::Entitlement;
use super::query;
use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::graphql::loaders::Load;
use crate::graphql::page::Page;
use crate::platform::App;
use crate::platform::fault::Fault;

/// What somebody has, or had until it expired, in a course; missing for nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Held(pub(super) UserId, pub(super) CourseId);

impl Load for Held {
    type Value = Arc<Vec<Entitlement>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, Fault> {
        let (users, courses) = keys.iter().map(|key| (key.0, key.1)).unzip();
        let mut found: HashMap<Held, Vec<Entitlement>> = HashMap::new();
        for row in query::held(&mut *app.db.read().await?, users, courses).await? {
            if let Some(course) = row.course_id {
                found.entry(Held(row.user_id, course)).or_default().push(row);
            }
        }
        Ok(found.into_iter().map(|(key, rows)| (key, Arc::new(rows))).collect())
    }
}

/// A page of a course's ledger, in its direction.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct LedgerPage(pub(super) CourseId, pub(super) Page<(chrono::DateTime<chrono::Utc>, uuid::Uuid)>);

impl Load for LedgerPage {
    type Value = Vec<Arc<Entitlement>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, Fault> {
        let conn = app.db.read().await?;
        let pages = try_join_all(keys.iter().map(|key| query::of_course(&conn, key.0, &key.1))).await?;
        let pages = pages.into_iter().map(|rows| rows.into_iter().map(Arc::new).collect());
        Ok(keys.iter().cloned().zip(pages).collect())
    }
}

/// How many lines a course's ledger has; missing for none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LedgerCount(pub(super) CourseId);

impl Load for LedgerCount {
    type Value = i64;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, Fault> {
        let courses: Vec<CourseId> = keys.iter().map(|key| key.0).collect();
        let counts = query::count_of_courses(&mut *app.db.read().await?, &courses).await?;
        Ok(counts.into_iter().filter_map(|(course, count)| Some((LedgerCount(course?), count))).collect())
    }
}
