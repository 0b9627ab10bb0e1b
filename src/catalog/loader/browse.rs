//! Loaders of the public catalog, filtered, ordered and searched.
//!
//! The public catalog is the same for all viewers, so its pages are cached. A key contains the whole filter and counts
//! as several rows in the cache.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::{FutureExt, TryFutureExt};

use crate::accounts::UserId;
use crate::catalog::model::{
    Course, CourseId, CoursePlace, CourseSort, Search, Which, facts_key, found_keys, lists_key,
};
use crate::catalog::query::browse::{self, FoundPlace};
use crate::catalog::query::course;
use crate::graphql::loaders::{Load, shared};
use crate::graphql::page::Page;
use crate::platform::App;
use crate::platform::db::CacheKey;
use crate::platform::internal_error::InternalError;

/// The size of a key in the cache, in rows.
const KEY: usize = 4;
/// The number of search results that take as much space as a row.
const PLACES: usize = 20;

/// A page of the courses that match a filter, in the page's direction.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MatchingPage(pub Arc<Which>, pub CourseSort, pub Page<CoursePlace>);

impl Load for MatchingPage {
    type Value = Vec<Arc<Course>>;
    const CACHED: bool = true;
    const ALONE: bool = true;

    /// Drafts are created and scheduled without a change to lists.
    fn may_be_cached(&self) -> bool {
        self.0.statuses.is_none()
    }

    fn depends_on(&self, page: Option<&Self::Value>) -> Vec<CacheKey> {
        found_keys(page.into_iter().flatten())
    }

    fn rows(page: &Self::Value) -> usize {
        KEY + page.len()
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let read = app.db.read_each(keys, |conn, MatchingPage(which, order, page)| {
            browse::matching(conn, which, *order, page).map_ok(shared).boxed()
        });
        read.await
    }
}

/// The courses that match a search and a filter, each with its rank, best matches first.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Found(pub Arc<Search>, pub Arc<Which>);

impl Load for Found {
    type Value = Arc<Vec<FoundPlace>>;
    const CACHED: bool = true;
    const ALONE: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![lists_key(), facts_key()]
    }

    fn rows(found: &Self::Value) -> usize {
        KEY + found.len() / PLACES
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        app.db.read_each(keys, |conn, key| browse::found(conn, &key.0, &key.1).map_ok(Arc::new).boxed()).await
    }
}

/// The number of courses that match a filter.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MatchingCount(pub Arc<Which>);

impl Load for MatchingCount {
    type Value = i64;
    const CACHED: bool = true;
    const ALONE: bool = true;

    /// Drafts are created and scheduled without a change to lists.
    fn may_be_cached(&self) -> bool {
        self.0.statuses.is_none()
    }

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![lists_key(), facts_key()]
    }

    fn rows(_: &i64) -> usize {
        KEY
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        app.db.read_each(keys, |conn, key| browse::count_matching(conn, &key.0).boxed()).await
    }
}

/// The courses to suggest for a search, best ones first.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Suggested(pub Arc<Search>);

impl Load for Suggested {
    type Value = Arc<Vec<CourseId>>;
    const CACHED: bool = true;
    const ALONE: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![lists_key(), facts_key()]
    }

    fn rows(_: &Self::Value) -> usize {
        KEY
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        app.db.read_each(keys, |conn, key| browse::suggested(conn, &key.0).map_ok(Arc::new).boxed()).await
    }
}

/// Whether a user teaches a published course; missing if not.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HasPublished(pub UserId);

impl Load for HasPublished {
    type Value = ();
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&()>) -> Vec<CacheKey> {
        vec![lists_key()]
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, ()>, InternalError> {
        let ids: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let found = course::with_published(&*app.db.read().await?, &ids).await?;
        Ok(found.into_iter().map(|id| (HasPublished(id), ())).collect())
    }
}

/// The known words that are similar to a word that no public course contains.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NearWords(pub String);

impl Load for NearWords {
    type Value = Vec<String>;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![lists_key(), facts_key()]
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Vec<String>>, InternalError> {
        let words: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
        let near = browse::near_words(&*app.db.read().await?, &words).await?;
        Ok(near.into_iter().map(|(typed, words)| (NearWords(typed), words)).collect())
    }
}
