//! Loaders of sections, lessons and lesson content.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::{ROW_BYTES, one_each};
use crate::catalog::model::{
    CourseId, Lesson, LessonContent, LessonId, LessonResource, Section, SectionId, course_key, lesson_key,
};
use crate::catalog::query::{content, file, outline};
use crate::graphql::loaders::Load;
use crate::platform::App;
use crate::platform::db::CacheKey;
use crate::platform::internal_error::InternalError;
use crate::platform::markdown;

/// A course's sections in order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SectionsOf(pub CourseId);

impl Load for SectionsOf {
    type Value = Arc<[Arc<Section>]>;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![course_key(self.0)]
    }

    fn rows(sections: &Self::Value) -> usize {
        1 + sections.len()
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<CourseId> = keys.iter().map(|key| key.0).collect();
        let rows = outline::sections_of(&*app.db.read().await?, &ids).await?;
        Ok(many_each(keys, rows, |section| SectionsOf(section.course_id)))
    }
}

/// All lessons of a course, section by section, in order within each.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LessonsOf(pub CourseId);

impl Load for LessonsOf {
    type Value = Arc<[Arc<Lesson>]>;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![course_key(self.0)]
    }

    fn rows(lessons: &Self::Value) -> usize {
        1 + lessons.len()
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<CourseId> = keys.iter().map(|key| key.0).collect();
        let rows = outline::lessons_of(&*app.db.read().await?, &ids).await?;
        Ok(many_each(keys, rows, |lesson| LessonsOf(lesson.course_id)))
    }
}

/// One section.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SectionById(pub SectionId);

impl Load for SectionById {
    type Value = Arc<Section>;
    const CACHED: bool = true;

    fn depends_on(&self, section: Option<&Self::Value>) -> Vec<CacheKey> {
        section.map(|section| course_key(section.course_id)).into_iter().collect()
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Section>>, InternalError> {
        let ids: Vec<SectionId> = keys.iter().map(|key| key.0).collect();
        let rows = outline::sections_by_ids(&*app.db.read().await?, &ids).await?;
        Ok(one_each(rows, |section| SectionById(section.id)))
    }
}

/// One lesson.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LessonById(pub LessonId);

impl Load for LessonById {
    type Value = Arc<Lesson>;
    const CACHED: bool = true;

    fn depends_on(&self, lesson: Option<&Self::Value>) -> Vec<CacheKey> {
        lesson.map(|lesson| course_key(lesson.course_id)).into_iter().collect()
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Lesson>>, InternalError> {
        let ids: Vec<LessonId> = keys.iter().map(|key| key.0).collect();
        let rows = outline::lessons_by_ids(&*app.db.read().await?, &ids).await?;
        Ok(one_each(rows, |lesson| LessonById(lesson.id)))
    }
}

/// The content that accompanies a lesson's video.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentOf(pub LessonId);

impl Load for ContentOf {
    type Value = Arc<LessonContent>;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![lesson_key(self.0)]
    }

    fn rows(content: &Self::Value) -> usize {
        1 + content.description.len() / ROW_BYTES + content.chapters.len() + content.links.len()
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<LessonId> = keys.iter().map(|key| key.0).collect();
        let rows = content::contents(&*app.db.read().await?, &ids).await?;
        let read = |(id, stored)| Ok((ContentOf(id), Arc::new(LessonContent::try_from(stored)?)));
        rows.into_iter().map(read).collect()
    }
}

/// A lesson's resources in order; missing if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResourcesOf(pub LessonId);

impl Load for ResourcesOf {
    type Value = Arc<Vec<LessonResource>>;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![lesson_key(self.0)]
    }

    fn rows(resources: &Self::Value) -> usize {
        1 + resources.len()
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<LessonId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<Self, Vec<LessonResource>> = HashMap::new();
        for (id, resource) in file::resources(&*app.db.read().await?, &ids).await? {
            found.entry(ResourcesOf(id)).or_default().push(resource);
        }
        Ok(found.into_iter().map(|(key, resources)| (key, Arc::new(resources))).collect())
    }
}

/// A lesson's description as sanitized HTML.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentHtmlOf(pub LessonId);

impl Load for ContentHtmlOf {
    type Value = Arc<str>;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![lesson_key(self.0)]
    }

    fn rows(text: &Arc<str>) -> usize {
        1 + text.len() / ROW_BYTES
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<str>>, InternalError> {
        let ids: Vec<LessonId> = keys.iter().map(|key| key.0).collect();
        let rows = content::descriptions(&*app.db.read().await?, &ids).await?;
        Ok(markdown::render_all(rows, ContentHtmlOf).await?)
    }
}

/// Groups rows by key; a key without rows gets an empty list.
fn many_each<K: Clone + Eq + Hash, R>(keys: &[K], rows: Vec<R>, key: impl Fn(&R) -> K) -> HashMap<K, Arc<[Arc<R>]>> {
    let mut groups: HashMap<K, Vec<Arc<R>>> = keys.iter().map(|key| (key.clone(), Vec::new())).collect();
    for row in rows {
        groups.entry(key(&row)).or_default().push(Arc::new(row));
    }
    groups.into_iter().map(|(key, rows)| (key, rows.into())).collect()
}
