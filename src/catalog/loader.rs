//! Courses, sections and lessons in batches, kept for a moment. None of them depends on the viewer: what may be shown
//! is decided by the policy afterwards.

mod browse;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use futures_util::future::try_join_all;

use super::event::{CoursePublished, LessonPublished};
use super::model::{
    CategoryId, CategoryTree, Course, CourseId, CourseLists, Lesson, LessonContent, LessonId, ROWS, Resource, Section,
    SectionId,
};
use super::query::course::{self, CatalogKey};
use super::query::{category, content, file, outline, slug};
use crate::accounts::UserId;
use crate::channels::ChannelId;
use crate::graphql::loaders::Load;
use crate::graphql::page::Page;
use crate::platform::App;
use crate::platform::fault::Fault;
use crate::platform::markdown;
use crate::platform::outbox::Event;

pub(super) use browse::{FoundCount, FoundPage, MatchingCount, MatchingPage, NearWords};

/// What changes any of it. The events are among them for those who hear of one before they hear of the rows.
const CHANGES: Option<&[&str]> = Some(&[ROWS, CoursePublished::KIND, LessonPublished::KIND]);
/// Bytes of text that count as a row.
const ROW_BYTES: usize = 256;

/// One course.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CourseById(pub(super) CourseId);

impl Load for CourseById {
    type Value = Arc<Course>;
    const DROPPED_BY: Option<&'static [&'static str]> = CHANGES;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Course>>, Fault> {
        let ids: Vec<CourseId> = keys.iter().map(|key| key.0).collect();
        let rows = course::by_ids(&*app.db.read().await?, &ids).await?;
        Ok(one_each(rows, |course| CourseById(course.id)))
    }
}

/// One course by its name in addresses, or by one that it had before.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct CourseBySlug(pub(super) String);

impl Load for CourseBySlug {
    type Value = Arc<Course>;
    const DROPPED_BY: Option<&'static [&'static str]> = CHANGES;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Course>>, Fault> {
        // PostgreSQL refuses a statement with a NUL in a text, and this one may carry the slugs of several requests.
        let mut slugs: Vec<&str> = keys.iter().map(|key| key.0.as_str()).filter(|slug| !slug.contains('\0')).collect();
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

/// A course's description in Markdown.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct DescriptionOf(pub(super) CourseId);

impl Load for DescriptionOf {
    type Value = Arc<str>;
    const DROPPED_BY: Option<&'static [&'static str]> = CHANGES;

    fn rows(text: &Arc<str>) -> usize {
        1 + text.len() / ROW_BYTES
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<str>>, Fault> {
        let ids: Vec<CourseId> = keys.iter().map(|key| key.0).collect();
        let rows = course::descriptions(&*app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|(id, text)| (DescriptionOf(id), text.into())).collect())
    }
}

/// The same as HTML that a site can show as it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct DescriptionHtmlOf(pub(super) CourseId);

impl Load for DescriptionHtmlOf {
    type Value = Arc<str>;
    const DROPPED_BY: Option<&'static [&'static str]> = CHANGES;

    fn rows(text: &Arc<str>) -> usize {
        1 + text.len() / ROW_BYTES
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<str>>, Fault> {
        let ids: Vec<CourseId> = keys.iter().map(|key| key.0).collect();
        let rows = course::descriptions(&*app.db.read().await?, &ids).await?;
        rendered(rows, DescriptionHtmlOf).await
    }
}

/// A course's tags, benefits and prerequisites.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ListsOf(pub(super) CourseId);

impl Load for ListsOf {
    type Value = Arc<CourseLists>;
    const DROPPED_BY: Option<&'static [&'static str]> = CHANGES;

    fn rows(lists: &Self::Value) -> usize {
        1 + lists.benefits.len() + lists.prerequisites.len()
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, Fault> {
        let ids: Vec<CourseId> = keys.iter().map(|key| key.0).collect();
        let rows = course::lists(&*app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|(id, lists)| (ListsOf(id), Arc::new(lists))).collect())
    }
}

/// A page of the catalog, in its direction. Equal pages asked for at once are one statement; different ones share a
/// connection.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct CatalogPage(pub(super) Page<CatalogKey>);

impl Load for CatalogPage {
    type Value = Vec<Arc<Course>>;
    const DROPPED_BY: Option<&'static [&'static str]> = CHANGES;

    fn rows(page: &Self::Value) -> usize {
        1 + page.len()
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Vec<Arc<Course>>>, Fault> {
        let conn = app.db.read().await?;
        let pages = try_join_all(keys.iter().map(|key| course::published(&conn, &key.0))).await?;
        let pages = pages.into_iter().map(|rows| rows.into_iter().map(Arc::new).collect());
        Ok(keys.iter().cloned().zip(pages).collect())
    }
}

/// How many courses the catalog has.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CatalogCount;

impl Load for CatalogCount {
    type Value = i64;
    const DROPPED_BY: Option<&'static [&'static str]> = CHANGES;

    async fn load(app: &App, _: &[Self]) -> Result<HashMap<Self, i64>, Fault> {
        let count = course::count_published(&*app.db.read().await?).await?;
        Ok(HashMap::from([(CatalogCount, count)]))
    }
}

/// A page of what somebody teaches, in its direction.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct TaughtPage(pub(super) UserId, pub(super) Page<CatalogKey>);

impl Load for TaughtPage {
    type Value = Vec<Arc<Course>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Vec<Arc<Course>>>, Fault> {
        let conn = app.db.read().await?;
        let pages = try_join_all(keys.iter().map(|key| course::taught_by(&conn, key.0, &key.1))).await?;
        let pages = pages.into_iter().map(|rows| rows.into_iter().map(Arc::new).collect());
        Ok(keys.iter().cloned().zip(pages).collect())
    }
}

/// How many courses somebody teaches; missing for none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TaughtCount(pub(super) UserId);

impl Load for TaughtCount {
    type Value = i64;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, Fault> {
        let instructors: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let counts = course::count_taught(&*app.db.read().await?, &instructors).await?;
        Ok(counts.into_iter().map(|(instructor, count)| (TaughtCount(instructor), count)).collect())
    }
}

/// A course's sections in order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SectionsOf(pub(super) CourseId);

impl Load for SectionsOf {
    type Value = Arc<[Arc<Section>]>;
    const DROPPED_BY: Option<&'static [&'static str]> = CHANGES;

    fn rows(sections: &Self::Value) -> usize {
        1 + sections.len()
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, Fault> {
        let ids: Vec<CourseId> = keys.iter().map(|key| key.0).collect();
        let rows = outline::sections_of(&*app.db.read().await?, &ids).await?;
        Ok(many_each(keys, rows, |section| SectionsOf(section.course_id)))
    }
}

/// All lessons of a course, section by section, in order within each.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LessonsOf(pub(super) CourseId);

impl Load for LessonsOf {
    type Value = Arc<[Arc<Lesson>]>;
    const DROPPED_BY: Option<&'static [&'static str]> = CHANGES;

    fn rows(lessons: &Self::Value) -> usize {
        1 + lessons.len()
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, Fault> {
        let ids: Vec<CourseId> = keys.iter().map(|key| key.0).collect();
        let rows = outline::lessons_of(&*app.db.read().await?, &ids).await?;
        Ok(many_each(keys, rows, |lesson| LessonsOf(lesson.course_id)))
    }
}

/// One section.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SectionById(pub(super) SectionId);

impl Load for SectionById {
    type Value = Arc<Section>;
    const DROPPED_BY: Option<&'static [&'static str]> = CHANGES;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Section>>, Fault> {
        let ids: Vec<SectionId> = keys.iter().map(|key| key.0).collect();
        let rows = outline::sections_by_ids(&*app.db.read().await?, &ids).await?;
        Ok(one_each(rows, |section| SectionById(section.id)))
    }
}

/// One lesson.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LessonById(pub(super) LessonId);

impl Load for LessonById {
    type Value = Arc<Lesson>;
    const DROPPED_BY: Option<&'static [&'static str]> = CHANGES;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Lesson>>, Fault> {
        let ids: Vec<LessonId> = keys.iter().map(|key| key.0).collect();
        let rows = outline::lessons_by_ids(&*app.db.read().await?, &ids).await?;
        Ok(one_each(rows, |lesson| LessonById(lesson.id)))
    }
}

/// What a lesson's video comes with.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ContentOf(pub(super) LessonId);

impl Load for ContentOf {
    type Value = Arc<LessonContent>;
    const DROPPED_BY: Option<&'static [&'static str]> = CHANGES;

    fn rows(content: &Self::Value) -> usize {
        1 + content.description.len() / ROW_BYTES + content.timestamps.len() + content.links.len()
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, Fault> {
        let ids: Vec<LessonId> = keys.iter().map(|key| key.0).collect();
        let rows = content::contents(&*app.db.read().await?, &ids).await?;
        let read = |(id, stored)| Ok((ContentOf(id), Arc::new(LessonContent::try_from(stored)?)));
        rows.into_iter().map(read).collect()
    }
}

/// What a lesson offers for download, in order; missing for nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ResourcesOf(pub(super) LessonId);

impl Load for ResourcesOf {
    type Value = Arc<Vec<Resource>>;
    const DROPPED_BY: Option<&'static [&'static str]> = CHANGES;

    fn rows(resources: &Self::Value) -> usize {
        1 + resources.len()
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, Fault> {
        let ids: Vec<LessonId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<Self, Vec<Resource>> = HashMap::new();
        for (id, resource) in file::resources(&*app.db.read().await?, &ids).await? {
            found.entry(ResourcesOf(id)).or_default().push(resource);
        }
        Ok(found.into_iter().map(|(key, resources)| (key, Arc::new(resources))).collect())
    }
}

/// A lesson's description as HTML that a site can show as it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ContentHtmlOf(pub(super) LessonId);

impl Load for ContentHtmlOf {
    type Value = Arc<str>;
    const DROPPED_BY: Option<&'static [&'static str]> = CHANGES;

    fn rows(text: &Arc<str>) -> usize {
        1 + text.len() / ROW_BYTES
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<str>>, Fault> {
        let ids: Vec<LessonId> = keys.iter().map(|key| key.0).collect();
        let rows = content::descriptions(&*app.db.read().await?, &ids).await?;
        rendered(rows, ContentHtmlOf).await
    }
}

/// All categories.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Categories;

impl Load for Categories {
    type Value = Arc<CategoryTree>;
    const DROPPED_BY: Option<&'static [&'static str]> = CHANGES;

    fn rows(tree: &Self::Value) -> usize {
        1 + tree.len()
    }

    async fn load(app: &App, _: &[Self]) -> Result<HashMap<Self, Self::Value>, Fault> {
        let rows = category::all(&*app.db.read().await?).await?;
        Ok(HashMap::from([(Categories, Arc::new(CategoryTree::new(rows)))]))
    }
}

/// How many published courses each category has, without its parts.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CategoryCounts;

impl Load for CategoryCounts {
    type Value = Arc<HashMap<CategoryId, i64>>;
    const DROPPED_BY: Option<&'static [&'static str]> = CHANGES;

    fn rows(counts: &Self::Value) -> usize {
        1 + counts.len()
    }

    async fn load(app: &App, _: &[Self]) -> Result<HashMap<Self, Self::Value>, Fault> {
        let counts = category::count_published(&*app.db.read().await?).await?;
        Ok(HashMap::from([(CategoryCounts, Arc::new(counts.into_iter().collect()))]))
    }
}

/// How many published courses a channel has; missing for none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ChannelCount(pub(super) ChannelId);

impl Load for ChannelCount {
    type Value = i64;
    const DROPPED_BY: Option<&'static [&'static str]> = CHANGES;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, Fault> {
        let ids: Vec<ChannelId> = keys.iter().map(|key| key.0).collect();
        let counts = category::count_of_channels(&*app.db.read().await?, &ids).await?;
        Ok(counts.into_iter().map(|(id, count)| (ChannelCount(id), count)).collect())
    }
}

/// Markdown as HTML. A long text takes milliseconds: not on a thread that serves others.
async fn rendered<I, K>(rows: Vec<(I, String)>, key: fn(I) -> K) -> Result<HashMap<K, Arc<str>>, Fault>
where
    I: Send + 'static,
    K: Eq + Hash + Send + 'static,
{
    let rendering = tokio::task::spawn_blocking(move || {
        rows.into_iter().map(|(id, text)| (key(id), markdown::render(&text).into())).collect()
    });
    Ok(rendering.await?)
}

fn one_each<K: Eq + Hash, R>(rows: Vec<R>, key: impl Fn(&R) -> K) -> HashMap<K, Arc<R>> {
    rows.into_iter().map(|row| (key(&row), Arc::new(row))).collect()
}

/// Groups rows by key; a key without rows gets an empty list.
fn many_each<K: Clone + Eq + Hash, R>(keys: &[K], rows: Vec<R>, key: impl Fn(&R) -> K) -> HashMap<K, Arc<[Arc<R>]>> {
    let mut groups: HashMap<K, Vec<Arc<R>>> = keys.iter().map(|key| (key.clone(), Vec::new())).collect();
    for row in rows {
        groups.entry(key(&row)).or_default().push(Arc::new(row));
    }
    groups.into_iter().map(|(key, rows)| (key, rows.into())).collect()
}
