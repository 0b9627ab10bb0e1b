//! Loads reviews in batches. They are not cached across requests, like their posts.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::{FutureExt, TryFutureExt};
use uuid::Uuid;

use super::model::{Review, ReviewPlace, ReviewSort, Which};
use super::query;
use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::graphql::loaders::{Load, shared};
use crate::graphql::page::Page;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// One review.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReviewById(pub Uuid);

impl Load for ReviewById {
    type Value = Arc<Review>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Review>>, InternalError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = query::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (ReviewById(row.post_id), Arc::new(row))).collect())
    }
}

/// The review of a course by a user; missing if there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReviewBy(pub CourseId, pub UserId);

impl Load for ReviewBy {
    type Value = Arc<Review>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Review>>, InternalError> {
        let (courses, users): (Vec<CourseId>, Vec<UserId>) = keys.iter().map(|key| (key.0, key.1)).unzip();
        let rows = query::of_pairs(&mut *app.db.read().await?, &courses, &users).await?;
        Ok(rows.into_iter().map(|row| (ReviewBy(row.rating.course_id, row.author_id), Arc::new(row))).collect())
    }
}

/// A page of reviews, in the direction of the page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ReviewPage(pub Arc<Which>, pub ReviewSort, pub Page<ReviewPlace>);

impl Load for ReviewPage {
    type Value = Vec<Arc<Review>>;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let read = app.db.read_each(keys, |conn, ReviewPage(which, sort, page)| {
            query::page(conn, which, *sort, page).map_ok(shared).boxed()
        });
        read.await
    }
}

/// The number of reviews in a list.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ReviewCount(pub Arc<Which>);

impl Load for ReviewCount {
    type Value = i64;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        app.db.read_each(keys, |conn, key| query::count(conn, &key.0).boxed()).await
    }
}
