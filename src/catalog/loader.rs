//! Batched and cached loading of the catalog.
//!
//! None of it depends on the viewer: the policy decides afterwards what they may see.

mod browse;
mod facet;
mod outline;
mod team;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use futures_util::{FutureExt, TryFutureExt};

use super::model::{
    CategoryId, CategoryTree, Course, CourseId, CourseLists, CourseStats, categories_key, course_key, facts_key,
    lists_key, page_keys, slug_key, stats_key,
};
use super::query::course::{self, CatalogKey};
use super::query::{category, price, setting, slug, stats};
use crate::accounts::UserId;
use crate::channels::ChannelId;
use crate::graphql::loaders::{Load, shared};
use crate::graphql::money::CurrencyCode;
use crate::graphql::page::Page;
use crate::platform::App;
use crate::platform::db::CacheKey;
use crate::platform::internal_error::InternalError;
use crate::platform::markdown;

pub use browse::{Found, HasPublished, MatchingCount, MatchingPage, NearWords, Suggested};
pub use facet::FacetCounts;
pub use outline::{ContentHtmlOf, ContentOf, ResourcesOf, SectionById, SectionsOf};
pub use outline::{LessonById, LessonsOf};
pub use team::TeamCoursesOf;

/// The number of bytes of text that count as one row in the cache.
const ROW_BYTES: usize = 256;

/// One course, whether or not the viewer may see it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CourseById(pub CourseId);

impl Load for CourseById {
    type Value = Arc<Course>;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![course_key(self.0)]
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Course>>, InternalError> {
        let ids: Vec<CourseId> = keys.iter().map(|key| key.0).collect();
        let rows = course::by_ids(&*app.db.read().await?, &ids).await?;
        Ok(one_each(rows, |course| CourseById(course.id)))
    }
}

/// One course by its current URL slug or an earlier one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CourseBySlug(pub String);

impl Load for CourseBySlug {
    type Value = Arc<Course>;
    const CACHED: bool = true;

    fn is_valid(&self) -> bool {
        // PostgreSQL rejects a text with a NUL.
        !self.0.contains('\0')
    }

    fn depends_on(&self, course: Option<&Self::Value>) -> Vec<CacheKey> {
        let mut keys = vec![slug_key(&self.0)];
        keys.extend(course.map(|course| course_key(course.id)));
        keys
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Course>>, InternalError> {
        let mut slugs: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
        let conn = app.db.read().await?;
        let rows = course::by_slugs(&conn, &slugs).await?;
        let mut found = one_each(rows, |course| CourseBySlug(course.slug.clone()));
        slugs.retain(|slug| !found.contains_key(&CourseBySlug((*slug).to_owned())));
        if !slugs.is_empty() {
            let rows = slug::courses_once_called(&conn, &slugs).await?;
            found.extend(rows.into_iter().map(|(slug, course)| (CourseBySlug(slug), Arc::new(course))));
        }
        Ok(found)
    }
}

/// The counts and aggregates of a course.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatsOf(pub CourseId);

impl Load for StatsOf {
    type Value = CourseStats;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&CourseStats>) -> Vec<CacheKey> {
        vec![stats_key(self.0)]
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, CourseStats>, InternalError> {
        let ids: Vec<CourseId> = keys.iter().map(|key| key.0).collect();
        let rows = stats::of(&*app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|stats| (StatsOf(stats.course_id), stats)).collect())
    }
}

/// A course's description in Markdown.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DescriptionOf(pub CourseId);

impl Load for DescriptionOf {
    type Value = Arc<str>;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![course_key(self.0)]
    }

    fn rows(text: &Arc<str>) -> usize {
        1 + text.len() / ROW_BYTES
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<str>>, InternalError> {
        let ids: Vec<CourseId> = keys.iter().map(|key| key.0).collect();
        let rows = course::descriptions(&*app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|(id, text)| (DescriptionOf(id), text.into())).collect())
    }
}

/// The share of a lesson's video that completes the lesson, in percent; missing if the course has the default.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CompletionOf(pub CourseId);

impl Load for CompletionOf {
    type Value = i32;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&i32>) -> Vec<CacheKey> {
        vec![course_key(self.0)]
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i32>, InternalError> {
        let ids: Vec<CourseId> = keys.iter().map(|key| key.0).collect();
        let rows = setting::completion_percents(&*app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|(id, percent)| (CompletionOf(id), percent)).collect())
    }
}

/// The prices of a course in other currencies than its own, in minor units, by currency; missing if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PricesOf(pub CourseId);

impl Load for PricesOf {
    type Value = Arc<Vec<(CurrencyCode, i64)>>;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![course_key(self.0)]
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<CourseId> = keys.iter().map(|key| key.0).collect();
        let mut prices: HashMap<Self, Vec<(CurrencyCode, i64)>> = HashMap::new();
        for (id, currency, amount) in price::of_courses(&*app.db.read().await?, &ids).await? {
            prices.entry(PricesOf(id)).or_default().push((currency, amount));
        }
        Ok(prices.into_iter().map(|(key, prices)| (key, Arc::new(prices))).collect())
    }
}

/// A course's tags, benefits and prerequisites.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ListsOf(pub CourseId);

impl Load for ListsOf {
    type Value = Arc<CourseLists>;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![course_key(self.0)]
    }

    fn rows(lists: &Self::Value) -> usize {
        1 + lists.benefits.len() + lists.prerequisites.len()
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<CourseId> = keys.iter().map(|key| key.0).collect();
        let rows = course::lists(&*app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|(id, lists)| (ListsOf(id), Arc::new(lists))).collect())
    }
}

/// A page of the public catalog, in the page's direction.
///
/// Requests for the same page share a statement; different pages are pipelined on one connection.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CatalogPage(pub Page<CatalogKey>);

impl Load for CatalogPage {
    type Value = Vec<Arc<Course>>;
    const CACHED: bool = true;

    fn depends_on(&self, page: Option<&Self::Value>) -> Vec<CacheKey> {
        page_keys(page.into_iter().flatten())
    }

    fn rows(page: &Self::Value) -> usize {
        1 + page.len()
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Vec<Arc<Course>>>, InternalError> {
        app.db.read_each(keys, |conn, key| course::published(conn, &key.0).map_ok(shared).boxed()).await
    }
}

/// The number of courses in the public catalog.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CatalogCount;

impl Load for CatalogCount {
    type Value = i64;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![lists_key()]
    }

    async fn load(app: &App, _: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        let count = course::count_published(&*app.db.read().await?).await?;
        Ok(HashMap::from([(CatalogCount, count)]))
    }
}

/// A page of the courses that a user teaches, in the page's direction.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TaughtPage(pub UserId, pub Page<CatalogKey>);

impl Load for TaughtPage {
    type Value = Vec<Arc<Course>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Vec<Arc<Course>>>, InternalError> {
        app.db.read_each(keys, |conn, key| course::taught_by(conn, key.0, &key.1).map_ok(shared).boxed()).await
    }
}

/// The number of courses that a user teaches; missing if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TaughtCount(pub UserId);

impl Load for TaughtCount {
    type Value = i64;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        let instructors: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let counts = course::count_taught(&*app.db.read().await?, &instructors).await?;
        Ok(counts.into_iter().map(|(instructor, count)| (TaughtCount(instructor), count)).collect())
    }
}

/// All categories.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Categories;

impl Load for Categories {
    type Value = Arc<CategoryTree>;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![categories_key()]
    }

    fn rows(tree: &Self::Value) -> usize {
        1 + tree.len()
    }

    async fn load(app: &App, _: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let rows = category::all(&*app.db.read().await?).await?;
        Ok(HashMap::from([(Categories, Arc::new(CategoryTree::with_slugs(rows)))]))
    }
}

/// A category's description in Markdown.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CategoryDescriptionOf(pub CategoryId);

impl Load for CategoryDescriptionOf {
    type Value = Arc<str>;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![categories_key()]
    }

    fn rows(text: &Arc<str>) -> usize {
        1 + text.len() / ROW_BYTES
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<str>>, InternalError> {
        let ids: Vec<CategoryId> = keys.iter().map(|key| key.0).collect();
        let rows = category::descriptions(&*app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|(id, text)| (CategoryDescriptionOf(id), text.into())).collect())
    }
}

/// A text, loaded as Markdown with the key, as sanitized HTML.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Html<K>(pub K);

impl<K: Load<Value = Arc<str>>> Load for Html<K> {
    type Value = Arc<str>;
    const CACHED: bool = true;

    fn depends_on(&self, html: Option<&Arc<str>>) -> Vec<CacheKey> {
        self.0.depends_on(html)
    }

    fn rows(html: &Arc<str>) -> usize {
        K::rows(html)
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<str>>, InternalError> {
        let keys: Vec<K> = keys.iter().map(|key| key.0.clone()).collect();
        Ok(markdown::render_all(K::load(app, &keys).await?, Html).await?)
    }
}

/// The number of published courses in each category, without its subcategories.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CategoryCounts;

impl Load for CategoryCounts {
    type Value = Arc<HashMap<CategoryId, i64>>;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![lists_key(), facts_key(), categories_key()]
    }

    fn rows(counts: &Self::Value) -> usize {
        1 + counts.len()
    }

    async fn load(app: &App, _: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let counts = category::count_published(&*app.db.read().await?).await?;
        Ok(HashMap::from([(CategoryCounts, Arc::new(counts.into_iter().collect()))]))
    }
}

/// The number of published courses of a channel; missing if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChannelCount(pub ChannelId);

impl Load for ChannelCount {
    type Value = i64;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![lists_key(), facts_key()]
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        let ids: Vec<ChannelId> = keys.iter().map(|key| key.0).collect();
        let counts = category::count_of_channels(&*app.db.read().await?, &ids).await?;
        Ok(counts.into_iter().map(|(id, count)| (ChannelCount(id), count)).collect())
    }
}

fn one_each<K: Eq + Hash, R>(rows: Vec<R>, key: impl Fn(&R) -> K) -> HashMap<K, Arc<R>> {
    rows.into_iter().map(|row| (key(&row), Arc::new(row))).collect()
}
