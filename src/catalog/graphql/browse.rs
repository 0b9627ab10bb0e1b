//! Queries of the public catalog: filtered, ordered, searched.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use futures_util::future::try_join_all;
use uuid::Uuid;

use super::category::tree;
use super::course::CourseObject;
use crate::catalog::loader::{
    CatalogCount, CatalogPage, CourseById, DescriptionOf, Found, MatchingCount, MatchingPage, NearWords,
};
use crate::catalog::model::{Course, CourseFilter, CourseId, CourseSort, Part, Search, Which, words};
use crate::graphql::caching::cache_control;
use crate::graphql::context::{client, loaders};
use crate::graphql::guard::public;
use crate::graphql::page::{Page, encode_cursor, instant, wants_total};
use crate::graphql::{Connection, PageArgs, Result, Sequential};

/// The queries of the public catalog.
#[derive(Default)]
pub(super) struct BrowseQuery;

#[Object]
impl BrowseQuery {
    /// The published courses, newest first unless an order is given.
    #[graphql(directive = public::apply(), directive = cache_control::apply(300))]
    #[allow(clippy::too_many_arguments)]
    async fn courses(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which courses to return; defaults to all.")] filter: Option<CourseFilter>,
        #[graphql(desc = "The sort order. A cursor is valid for one sort field only.")] sort: Option<CourseSort>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<Connection<CourseObject>>> {
        let (filter, sort) = (filter.unwrap_or_default(), sort.unwrap_or_default());
        let page = sort.page(PageArgs { first, after, last, before })?;
        let cursor = move |CourseObject(course): &CourseObject| sort.cursor(course);
        if filter == CourseFilter::default() && sort == CourseSort::default() {
            let times = page.clone().try_map(|(_, micros, id)| Ok((instant("courses", micros)?, id)))?;
            let rows = loaders(ctx).load(CatalogPage(times)).await?.unwrap_or_default();
            let total = if wants_total(ctx) { loaders(ctx).load(CatalogCount).await? } else { None };
            return Ok(Sequential(page.connection(rows, CourseObject, cursor).with_total(total.unwrap_or_default())));
        }
        let Some(which) = which(ctx, &filter).await?.map(Arc::new) else {
            return Ok(Sequential(page.connection(Vec::new(), CourseObject, cursor)));
        };
        let rows = loaders(ctx)
            .load_for(client(ctx).address(), MatchingPage(which.clone(), sort, page.clone()))
            .await?
            .unwrap_or_default();
        let total = if wants_total(ctx) {
            loaders(ctx).load_for(client(ctx).address(), MatchingCount(which)).await?
        } else {
            None
        };
        Ok(Sequential(page.connection(rows, CourseObject, cursor).with_total(total.unwrap_or_default())))
    }

    /// The published courses that contain all words of a text, best matches first. The words can be in the title, the
    /// subtitle, the tags or the description; matches in the title count most. The start of a word is enough, and case
    /// and accents are ignored. A word without any match also finds similar words, to correct typing errors. Only the
    /// first twelve words count; a text without words finds nothing. At most 1,000 courses with a match in the title and
    /// 1,000 others are found. For another order, use `courses` with a `query` in
    /// the filter.
    #[graphql(directive = public::apply(), directive = cache_control::apply(300))]
    #[allow(clippy::too_many_arguments)]
    async fn search_courses(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The free text to search for; there are no operators.")] query: String,
        #[graphql(desc = "Which of the matching courses to return; defaults to all.")] filter: Option<CourseFilter>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor. A cursor is valid for the same search words only.")]
        after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<Connection<FoundObject>>> {
        let filter = filter.unwrap_or_default();
        let search = search(ctx, &query).await?;
        let list = format!("searchCourses({:?})", search.as_ref().map(Search::name).unwrap_or_default());
        let page: Page<(i32, Uuid)> = PageArgs { first, after, last, before }.page(&list)?;
        let cursor = move |found: &FoundObject| encode_cursor(&list, &(found.rank, found.course.id));
        let (Some(search), Some(which)) = (search, which(ctx, &filter).await?) else {
            return Ok(Sequential(page.connection(Vec::new(), |found| found, cursor)));
        };
        let search = Arc::new(search);
        let found = loaders(ctx)
            .load_for(client(ctx).address(), Found(search.clone(), Arc::new(which)))
            .await?
            .unwrap_or_default();
        let places = page.of_descending(&found);
        let courses =
            try_join_all(places.iter().map(|(_, id)| loaders(ctx).load(CourseById(CourseId::new(*id))))).await?;
        let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
        let rows = places.iter().zip(courses).filter_map(|((rank, _), course)| Some((course?, *rank))).collect();
        let object = move |(course, rank)| FoundObject { course, rank, search: search.clone() };
        Ok(Sequential(page.connection(rows, object, cursor).with_total(total)))
    }
}

/// A course that a search has found.
#[derive(Clone)]
pub(super) struct FoundObject {
    course: Arc<Course>,
    rank: i32,
    search: Arc<Search>,
}

/// A course that a search has found, with the matches in its texts.
#[Object(name = "CourseSearchResult")]
impl FoundObject {
    /// The course.
    async fn course(&self) -> Sequential<CourseObject> {
        Sequential(CourseObject(self.course.clone()))
    }

    /// The course's whole title in parts, in order.
    async fn title_highlight(&self) -> Vec<Sequential<TextPart>> {
        parts(self.search.highlight(&self.course.title))
    }

    /// An excerpt that shows why the course was found, in parts, in order; may be empty. It is from the subtitle or the
    /// description, without most of its Markdown syntax.
    async fn snippet(&self, ctx: &Context<'_>) -> Result<Vec<Sequential<TextPart>>> {
        let description = loaders(ctx).load(DescriptionOf(self.course.id)).await?;
        Ok(parts(self.search.snippet(&self.course.subtitle, description.as_deref().unwrap_or_default())))
    }
}

/// A part of a text, which is plain text, not HTML.
#[derive(Clone, SimpleObject)]
pub(super) struct TextPart {
    /// The text.
    text: String,
    /// Whether the part matches the search and should be highlighted, with `<mark>` or in bold.
    found: bool,
}

fn parts(parts: Vec<Part>) -> Vec<Sequential<TextPart>> {
    parts.into_iter().map(|Part { text, found }| Sequential(TextPart { text, found })).collect()
}

/// Converts a filter to SQL conditions; `None` if no course can match.
async fn which(ctx: &Context<'_>, filter: &CourseFilter) -> Result<Option<Which>> {
    let mut which = filter.which()?;
    if let Some(query) = filter.query.as_deref().filter(|query| !query.trim().is_empty()) {
        let Some(search) = search(ctx, query).await? else { return Ok(None) };
        which.search = Some(search);
    }
    if let Some(category) = filter.category_id {
        let tree = tree(ctx).await?;
        let Some(category) = tree.get(category) else { return Ok(None) };
        which.categories = Some(tree.within(category.id));
    }
    Ok(which.is_possible().then_some(which))
}

/// Parses the text of a search; `None` if it contains no words.
async fn search(ctx: &Context<'_>, typed: &str) -> Result<Option<Search>> {
    let words = words(typed);
    let near = words.iter().map(async |word| {
        let near = loaders(ctx).load(NearWords(word.clone())).await?;
        Result::Ok((word.clone(), near.unwrap_or_default()))
    });
    let near: HashMap<String, Vec<String>> = try_join_all(near).await?.into_iter().collect();
    Ok((!words.is_empty()).then(|| Search::new(words, &near)))
}
