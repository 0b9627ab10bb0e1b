//! Queries of the public catalog: filtered, ordered, searched.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use futures_util::future::try_join_all;
use uuid::Uuid;

use super::category::tree;
use super::course::CourseObject;
use super::facet::{CourseConnection, CourseFacets};
use crate::accounts::UserId;
use crate::catalog::loader::{
    CatalogCount, CatalogPage, CategoryCounts, ChannelCount, CourseById, DescriptionOf, Found, MatchingCount,
    MatchingPage, NearWords,
};
use crate::catalog::model::{
    CategoryId, Course, CourseFilter, CourseId, CourseSort, CourseSortField, Part, PublicationStatus, Search, Which,
    words,
};
use crate::channels::ChannelId;
use crate::graphql::caching::cache_control;
use crate::graphql::context::{client, loaders, within};
use crate::graphql::guard::{Scope, public};
use crate::graphql::loaders::Load;
use crate::graphql::page::{Page, SortDirection, encode_cursor, instant, wants_total};
use crate::graphql::{Connection, Error, PageArgs, Result, Sequential};
use crate::platform::auth::Role;

/// The queries of the public catalog.
#[derive(Default)]
pub(super) struct BrowseQuery;

#[Object]
impl BrowseQuery {
    /// The published courses, newest first unless they are sorted otherwise.
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
    ) -> Result<Sequential<CourseConnection>> {
        matching(ctx, Within::Catalog, filter, sort, PageArgs { first, after, last, before }).await.map(Sequential)
    }

    /// The published courses that contain all words of a text, best matches first. The words can be in the title, the
    /// subtitle, the tags or the description; matches in the title count most. The start of a word is enough, and case
    /// and accents are ignored. A word without any match also finds similar words, to correct typing errors. Only the
    /// first twelve words count; a text without words finds nothing. At most 1,000 courses with a match in the title and
    /// 1,000 others are found.
    #[graphql(directive = public::apply(), directive = cache_control::apply(300))]
    #[allow(clippy::too_many_arguments)]
    async fn search_courses(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The free text to search for; there are no operators.")] query: String,
        #[graphql(desc = "Which of the matching courses to return; defaults to all.")] filter: Option<CourseFilter>,
        #[graphql(desc = "How to sort the courses; defaults to the best matches first.")] sort: Option<CourseSort>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor. A cursor is valid for the same search words only.")]
        after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<FoundConnection>> {
        let filter = filter.unwrap_or_default();
        if filter.statuses().is_some() {
            return Err(Error::BadInput("A search finds published courses: use `courses` to filter by status.".into()));
        }
        let search = search(ctx, &query).await?.map(Arc::new);
        let args = PageArgs { first, after, last, before };
        match sort {
            Some(sort) => found_sorted(ctx, search, &filter, sort, args).await,
            None => found(ctx, search, &filter, args).await,
        }
        .map(Sequential)
    }
}

/// Returns a page of the courses that a search has found, best matches first.
async fn found(
    ctx: &Context<'_>,
    search: Option<Arc<Search>>,
    filter: &CourseFilter,
    args: PageArgs,
) -> Result<FoundConnection> {
    let list = format!("searchCourses({:?})", search.as_ref().map(|search| search.name()).unwrap_or_default());
    let page: Page<(i32, Uuid)> = args.page(&list)?;
    let cursor = move |found: &FoundObject| encode_cursor(&list, &(found.rank, found.course.id));
    let (Some(search), Some(which)) = (search, which(ctx, filter).await?) else {
        return Ok(page.connection(Vec::new(), |found| found, cursor).with_fields(CourseFacets::of_nothing()));
    };
    let both = which.search.as_ref().map_or_else(|| Search::clone(&search), |filter| filter.and(&search));
    let facets = CourseFacets::new(Within::Catalog, Some(Which { search: Some(both), ..which.clone() }));
    let key = Found(search.clone(), Arc::new(which));
    let found = read(ctx, true, key).await?.unwrap_or_default();
    let places = page.of_descending(&found);
    let courses = try_join_all(places.iter().map(|(_, id)| loaders(ctx).load(CourseById(CourseId::new(*id))))).await?;
    let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let rows = places.iter().zip(courses).filter_map(|((rank, _), course)| Some((course?, *rank))).collect();
    let object = move |(course, rank)| FoundObject { course, rank, search: search.clone() };
    Ok(page.connection(rows, object, cursor).with_total(total).with_fields(facets))
}

/// Returns a page of the courses that a search has found, sorted.
async fn found_sorted(
    ctx: &Context<'_>,
    search: Option<Arc<Search>>,
    filter: &CourseFilter,
    sort: CourseSort,
    args: PageArgs,
) -> Result<FoundConnection> {
    let page = sort.page(args)?;
    let cursor = move |found: &FoundObject| sort.cursor(&found.course);
    let (Some(search), Some(which)) = (search, which(ctx, filter).await?) else {
        return Ok(page.connection(Vec::new(), |found| found, cursor).with_fields(CourseFacets::of_nothing()));
    };
    if which.search.is_some() {
        return Err(Error::BadInput("Give all words as the query of the search; its filter needs no query.".into()));
    }
    let which = Arc::new(Which { search: Some(Search::clone(&search)), ..which });
    let rows = read(ctx, true, MatchingPage(which.clone(), sort, page.clone())).await?.unwrap_or_default();
    let object = move |course| FoundObject { course, rank: 0, search: search.clone() };
    let facets = CourseFacets::new(Within::Catalog, Some(Which::clone(&which)));
    let connection = page.connection(rows, object, cursor).with_fields(facets);
    if !wants_total(ctx) {
        return Ok(connection);
    }
    Ok(connection.with_total(read(ctx, true, MatchingCount(which)).await?.unwrap_or_default()))
}

/// What a list of courses is limited to, whatever its filter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    /// Nothing: all published courses.
    Catalog,
    /// A category with its subcategories.
    Category(CategoryId),
    /// A channel.
    Channel(ChannelId),
    /// The other courses by the instructor of a course.
    InstructorOf(CourseId, UserId),
    /// The courses by an instructor, of any status.
    TaughtBy(UserId),
}

/// Returns a page of the published courses that match a filter, newest first unless they are sorted otherwise.
///
/// # Errors
/// An argument is invalid; the database failed.
pub(super) async fn matching(
    ctx: &Context<'_>,
    within: Within,
    filter: Option<CourseFilter>,
    sort: Option<CourseSort>,
    args: PageArgs,
) -> Result<CourseConnection> {
    let filter = filter.unwrap_or_default();
    let any_status = filter.statuses().is_some();
    if any_status {
        check_statuses(ctx, sort)?;
    }
    let newest = CourseSort { field: CourseSortField::CreatedAt, direction: SortDirection::Desc };
    let sort = sort.unwrap_or(if any_status { newest } else { CourseSort::default() });
    let page = sort.page(args)?;
    let cursor = move |CourseObject(course): &CourseObject| sort.cursor(course);
    let is_filtered = filter != CourseFilter::default();
    if within == Within::Catalog && !is_filtered && sort == CourseSort::default() {
        let times = page.clone().try_map(|(_, micros, id)| Ok((instant("courses", micros)?, id)))?;
        let rows = loaders(ctx).load(CatalogPage(times)).await?.unwrap_or_default();
        let total = if wants_total(ctx) { loaders(ctx).load(CatalogCount).await? } else { None };
        let facets = CourseFacets::new(within, Some(Which::default()));
        let connection = page.connection(rows, CourseObject, cursor).with_fields(facets);
        return Ok(connection.with_total(total.unwrap_or_default()));
    }
    let which = which(ctx, &filter).await?;
    let facets = CourseFacets::new(within, which.clone());
    let Some(which) = limited(ctx, within, which).await?.map(Arc::new) else {
        return Ok(page.connection(Vec::new(), CourseObject, cursor).with_fields(facets));
    };
    // An operation may list the courses of many categories; only what a client chooses itself is limited.
    let is_limited = within == Within::Catalog || is_filtered;
    let rows = read(ctx, is_limited, MatchingPage(which.clone(), sort, page.clone())).await?;
    let connection = page.connection(rows.unwrap_or_default(), CourseObject, cursor).with_fields(facets);
    if !wants_total(ctx) {
        return Ok(connection);
    }
    let total = match within {
        Within::Category(id) if !is_filtered => Some(count_within(ctx, &tree(ctx).await?.within(id)).await?),
        Within::Channel(id) if !is_filtered => loaders(ctx).load(ChannelCount(id)).await?,
        _ => read(ctx, is_limited, MatchingCount(which)).await?,
    };
    Ok(connection.with_total(total.unwrap_or_default()))
}

/// Reads one statement's result; `is_limited` applies the limit of such reads in flight per client.
pub(super) async fn read<K: Load>(ctx: &Context<'_>, is_limited: bool, key: K) -> Result<Option<K::Value>> {
    match is_limited {
        true => loaders(ctx).load_for(client(ctx).address(), key).await,
        false => Ok(loaders(ctx).load(key).await?),
    }
}

/// Returns a page of the published courses of a channel.
///
/// # Errors
/// The arguments are invalid, or the database failed.
pub(crate) async fn courses_of_channel(
    ctx: &Context<'_>,
    channel: ChannelId,
    filter: Option<CourseFilter>,
    sort: Option<CourseSort>,
    args: PageArgs,
) -> Result<CourseConnection> {
    matching(ctx, Within::Channel(channel), filter, sort, args).await
}

/// Checks that the viewer may see courses of any status, and that all of them have what they are sorted by.
fn check_statuses(ctx: &Context<'_>, sort: Option<CourseSort>) -> Result<()> {
    if !within(ctx, Scope::ReadCourses).has(Role::Admin) {
        return Err(Error::Forbidden("Only administrators filter courses by status.".into()));
    }
    if sort.is_some_and(|sort| sort.field == CourseSortField::PublishedAt) {
        let message = "Drafts have no time of publication: sort courses of any status by CREATED_AT, for example.";
        return Err(Error::BadInput(message.into()));
    }
    Ok(())
}

/// Limits the conditions of a filter; `None` if no course can match.
pub(super) async fn limited(ctx: &Context<'_>, within: Within, which: Option<Which>) -> Result<Option<Which>> {
    let Some(mut which) = which else { return Ok(None) };
    match within {
        Within::Catalog => {}
        Within::Category(id) => {
            let tree = tree(ctx).await?;
            which.limit_to(tree.within(id));
        }
        Within::Channel(id) => {
            if which.channel.replace(id).is_some_and(|wanted| wanted != id) {
                return Ok(None);
            }
        }
        Within::InstructorOf(course, instructor) => {
            which.instructor = Some(instructor);
            which.other_than = Some(course);
        }
        Within::TaughtBy(instructor) => {
            which.instructor = Some(instructor);
            which.statuses = Some(vec![
                PublicationStatus::Draft,
                PublicationStatus::Scheduled,
                PublicationStatus::Published,
                PublicationStatus::Archived,
            ]);
        }
    }
    Ok(Some(which))
}

/// Returns the number of published courses in the categories `within`.
pub(super) async fn count_within(ctx: &Context<'_>, within: &[CategoryId]) -> Result<i64> {
    let counts = loaders(ctx).load(CategoryCounts).await?.unwrap_or_default();
    Ok(within.iter().filter_map(|id| counts.get(id)).sum())
}

/// A page of the courses that a search has found.
type FoundConnection = Connection<FoundObject, CourseFacets>;

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
    is_match: bool,
}

fn parts(parts: Vec<Part>) -> Vec<Sequential<TextPart>> {
    parts.into_iter().map(|Part { text, found }| Sequential(TextPart { text, is_match: found })).collect()
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
        which.limit_to(tree.within(category.id));
    }
    if let Some(slugs) = filter.category_slugs.as_ref().filter(|slugs| !slugs.is_empty()) {
        let tree = tree(ctx).await?;
        let named = slugs.iter().filter_map(|slug| tree.by_slug(slug));
        which.limit_to(named.flat_map(|category| tree.within(category.id)).collect());
    }
    Ok(which.is_possible().then_some(which))
}

/// Parses the text of a search; `None` if it contains no words.
pub(super) async fn search(ctx: &Context<'_>, typed: &str) -> Result<Option<Search>> {
    let words = words(typed);
    let near = words.iter().map(async |word| {
        let near = loaders(ctx).load(NearWords(word.clone())).await?;
        Result::Ok((word.clone(), near.unwrap_or_default()))
    });
    let near: HashMap<String, Vec<String>> = try_join_all(near).await?.into_iter().collect();
    Ok((!words.is_empty()).then(|| Search::new(words, &near)))
}
