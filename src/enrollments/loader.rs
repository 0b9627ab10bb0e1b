//! Loads enrollments in batches. They are not cached across requests.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::{FutureExt, TryFutureExt};
use uuid::Uuid;

use super::model::{
    Certificate, CertificateId, Enrollment, EnrollmentId, EnrollmentPlace, EnrollmentSort, LessonStates,
};
use super::query::enrollment as query;
use super::query::{certificate, progress};
use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::graphql::loaders::{Load, shared};
use crate::graphql::page::Page;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// One enrollment.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnrollmentById(pub EnrollmentId);

impl Load for EnrollmentById {
    type Value = Arc<Enrollment>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Enrollment>>, InternalError> {
        let ids: Vec<EnrollmentId> = keys.iter().map(|key| key.0).collect();
        let rows = query::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (EnrollmentById(row.id), Arc::new(row))).collect())
    }
}

/// A user's enrollment in a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EnrollmentIn(pub UserId, pub CourseId);

impl Load for EnrollmentIn {
    type Value = Arc<Enrollment>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Enrollment>>, InternalError> {
        let (users, courses) = keys.iter().map(|key| (key.0, key.1)).unzip();
        let rows = query::of_pairs(&mut *app.db.read().await?, users, courses).await?;
        Ok(rows.into_iter().map(|row| (EnrollmentIn(row.user_id, row.course_id), Arc::new(row))).collect())
    }
}

/// The progress in the lessons of an enrollment; missing if there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StatesOf(pub EnrollmentId);

impl Load for StatesOf {
    type Value = Arc<LessonStates>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<EnrollmentId> = keys.iter().map(|key| key.0).collect();
        let states = progress::states(&mut *app.db.read().await?, &ids).await?;
        Ok(states.into_iter().map(|(id, states)| (StatesOf(id), Arc::new(states))).collect())
    }
}

/// All enrollments of a user, for the orders and filters that need other features; missing if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AllOf(pub UserId);

impl Load for AllOf {
    type Value = Arc<Vec<Arc<Enrollment>>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let users: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<Self, Vec<Arc<Enrollment>>> = HashMap::new();
        for row in query::all_of(&mut *app.db.read().await?, &users).await? {
            found.entry(AllOf(row.user_id)).or_default().push(Arc::new(row));
        }
        Ok(found.into_iter().map(|(key, rows)| (key, Arc::new(rows))).collect())
    }
}

/// A page of a user's enrollments in an order by time, in the direction of the page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PageByTime(pub UserId, pub EnrollmentSort, pub Page<EnrollmentPlace>);

impl Load for PageByTime {
    type Value = Vec<Arc<Enrollment>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let read = app.db.read_each(keys, |conn, PageByTime(user, sort, page)| {
            query::page_by_time(conn, *user, *sort, page).map_ok(shared).boxed()
        });
        read.await
    }
}

/// The number of a user's enrollments; missing if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CountOf(pub UserId);

impl Load for CountOf {
    type Value = i64;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        let users: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let counts = query::count_of(&mut *app.db.read().await?, &users).await?;
        Ok(counts.into_iter().map(|(user, count)| (CountOf(user), count)).collect())
    }
}

/// One certificate.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CertificateById(pub CertificateId);

impl Load for CertificateById {
    type Value = Arc<Certificate>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Certificate>>, InternalError> {
        let ids: Vec<CertificateId> = keys.iter().map(|key| key.0).collect();
        let rows = certificate::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (CertificateById(row.id), Arc::new(row))).collect())
    }
}

/// A page of a user's certificates, in the direction of the page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CertificatePage(pub UserId, pub Page<(DateTime<Utc>, Uuid)>);

impl Load for CertificatePage {
    type Value = Vec<Arc<Certificate>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let read = app.db.read_each(keys, |conn, CertificatePage(user, page)| {
            certificate::page(conn, *user, page).map_ok(shared).boxed()
        });
        read.await
    }
}

/// The number of a user's certificates.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CertificateCount(pub UserId);

impl Load for CertificateCount {
    type Value = i64;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        app.db.read_each(keys, |conn, key| certificate::count(conn, key.0).boxed()).await
    }
}

/// The certificate with a code, in its stored spelling.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct CertificateByCode(pub(super) String);

impl Load for CertificateByCode {
    type Value = Arc<Certificate>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Certificate>>, InternalError> {
        let codes: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
        let rows = certificate::by_codes(&mut *app.db.read().await?, &codes).await?;
        Ok(rows.into_iter().map(|row| (CertificateByCode(row.code.clone()), Arc::new(row))).collect())
    }
}

/// A user's certificate of a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CertificateOf(pub UserId, pub CourseId);

impl Load for CertificateOf {
    type Value = Arc<Certificate>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Certificate>>, InternalError> {
        let (users, courses) = keys.iter().map(|key| (key.0, key.1)).unzip();
        let rows = certificate::of_pairs(&mut *app.db.read().await?, users, courses).await?;
        let keyed = |row: Certificate| Some((CertificateOf(row.user_id, row.course_id?), Arc::new(row)));
        Ok(rows.into_iter().filter_map(keyed).collect())
    }
}
