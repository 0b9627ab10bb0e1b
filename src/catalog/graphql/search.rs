//! Searches for channels and instructors, and suggestions for a search box.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Object, Union};
use futures_util::future::{try_join_all, try_join4};
use uuid::Uuid;

use super::browse::{read, search};
use super::category::{CategoryObject, tree};
use super::course::CourseObject;
use crate::accounts::{TeamNamed, User, UserObject};
use crate::catalog::loader::{ChannelCount, CourseById, HasPublished, Suggested};
use crate::catalog::model::{Category, Course, Search};
use crate::channels::{Channel, ChannelObject, ChannelsNamed};
use crate::graphql::caching::cache_control;
use crate::graphql::context::loaders;
use crate::graphql::guard::public;
use crate::graphql::page::slice;
use crate::graphql::{Connection, Error, PageArgs, Result, Sequential};

/// The maximum number of suggestions.
const MOST_SUGGESTIONS: i32 = 20;
/// The number of channels and instructors that are looked at for suggestions of each kind.
const CANDIDATES: usize = 40;

/// Something that a user may be looking for.
#[derive(Union)]
pub(super) enum SearchSuggestion {
    /// A published course.
    Course(Sequential<CourseObject>),
    /// A channel with a published course.
    Channel(Sequential<ChannelObject>),
    /// A category.
    Category(Sequential<CategoryObject>),
    /// An instructor of a published course.
    User(Sequential<UserObject>),
}

/// The searches for other things than courses.
#[derive(Default)]
pub(super) struct SearchQuery;

#[Object]
impl SearchQuery {
    /// The channels with a published course whose names contain all words of a text, ordered by name. Words match as in
    /// `searchCourses`. At most 500 are found.
    #[graphql(directive = public::apply(), directive = cache_control::apply(300))]
    async fn search_channels(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The free text to search for; there are no operators.")] query: String,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<Connection<ChannelObject>>> {
        let named = match search(ctx, &query).await? {
            Some(search) => read(ctx, true, ChannelsNamed(search.needed())).await?.unwrap_or_default(),
            None => Arc::default(),
        };
        let mut channels = with_courses(ctx, named.iter()).await?;
        let key = |ChannelObject(channel): &ChannelObject| place(&channel.name, channel.id.uuid());
        channels.sort_by_cached_key(key);
        slice(PageArgs { first, after, last, before }, "searchChannels", channels, key).map(Sequential)
    }

    /// The instructors of published courses whose names contain all words of a text, ordered by name. Words match as in
    /// `searchCourses`. Of all instructors and administrators with such names, the first 500 are considered.
    #[graphql(directive = public::apply(), directive = cache_control::apply(300))]
    async fn search_instructors(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The free text to search for; there are no operators.")] query: String,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<Connection<UserObject>>> {
        let named = match search(ctx, &query).await? {
            Some(search) => read(ctx, true, TeamNamed(search.needed())).await?.unwrap_or_default(),
            None => Arc::default(),
        };
        let mut instructors = who_teach(ctx, named.iter()).await?;
        let key = |user: &Arc<User>| place(&user.name, user.id.uuid());
        instructors.sort_by_cached_key(key);
        let names: HashMap<Uuid, String> = instructors.iter().map(|user| (user.id.uuid(), user.name.clone())).collect();
        let instructors = instructors.into_iter().map(UserObject::new).collect();
        let key = move |user: &UserObject| {
            let id = user.user_id().uuid();
            place(names.get(&id).map(String::as_str).unwrap_or_default(), id)
        };
        slice(PageArgs { first, after, last, before }, "searchInstructors", instructors, key).map(Sequential)
    }

    /// Suggestions for a search box while the user is typing: published courses with all words in the title, and
    /// categories, channels and instructors of published courses with all words in the name. Words match as in
    /// `searchCourses`. Those that begin with the text come first, and courses are the most popular ones. Channels,
    /// categories and instructors are at most a quarter of `first` each.
    #[graphql(directive = public::apply(), directive = cache_control::apply(60))]
    async fn search_suggestions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the user has typed so far.")] query: String,
        #[graphql(desc = "The maximum number of suggestions, 1 to 20.", default = 8)] first: i32,
    ) -> Result<Vec<SearchSuggestion>> {
        if !(1..=MOST_SUGGESTIONS).contains(&first) {
            let message = format!("first must be between 1 and {MOST_SUGGESTIONS}; it is {first}.");
            return Err(Error::BadInput(message));
        }
        let Some(search) = search(ctx, &query).await?.map(Arc::new) else { return Ok(Vec::new()) };
        suggestions(ctx, &search, usize::try_from(first)?).await
    }
}

/// Returns the suggestions, those that begin with the words first.
async fn suggestions(ctx: &Context<'_>, search: &Arc<Search>, most: usize) -> Result<Vec<SearchSuggestion>> {
    let few = (most / 4).max(1);
    let (categories, channels, users, mut courses) = try_join4(
        suggested_categories(ctx, search),
        suggested_channels(ctx, search),
        suggested_instructors(ctx, search),
        suggested_courses(ctx, search),
    )
    .await?;
    let mut found: Vec<(bool, SearchSuggestion)> = Vec::new();
    let categories = categories.into_iter().take(few);
    found.extend(categories.map(|row| (search.begins(&row.name), wrapped(CategoryObject(row)).into())));
    let channels = channels.into_iter().take(few);
    found.extend(channels.map(|channel| (search.begins(&channel.0.name), wrapped(channel).into())));
    let users = users.into_iter().take(few);
    found.extend(users.map(|user| (search.begins(&user.name), wrapped(UserObject::new(user)).into())));
    found.sort_by_key(|(begins, _)| !begins);
    found.truncate(most);
    courses.truncate(most - found.len());
    found.extend(courses.into_iter().map(|row| (search.begins(&row.title), wrapped(CourseObject(row)).into())));
    found.sort_by_key(|(begins, _)| !begins);
    Ok(found.into_iter().map(|(_, suggestion)| suggestion).collect())
}

fn wrapped<T>(object: T) -> Sequential<T> {
    Sequential(object)
}

async fn suggested_courses(ctx: &Context<'_>, search: &Arc<Search>) -> Result<Vec<Arc<Course>>> {
    let ids = read(ctx, true, Suggested(search.clone())).await?.unwrap_or_default();
    let courses = try_join_all(ids.iter().map(|id| loaders(ctx).load(CourseById(*id)))).await?;
    Ok(courses.into_iter().flatten().collect())
}

async fn suggested_categories(ctx: &Context<'_>, search: &Search) -> Result<Vec<Arc<Category>>> {
    let tree = tree(ctx).await?;
    let is_named = |row: &&Arc<Category>| search.is_in(&row.name) || search.begins(&row.name);
    let mut found: Vec<Arc<Category>> =
        tree.all().filter(|row| row.archived_at.is_none()).filter(is_named).cloned().collect();
    found.sort_by_cached_key(|row| (!search.begins(&row.name), place(&row.name, row.id.uuid())));
    Ok(found)
}

async fn suggested_channels(ctx: &Context<'_>, search: &Search) -> Result<Vec<ChannelObject>> {
    let named = loaders(ctx).load(ChannelsNamed(search.needed())).await?.unwrap_or_default();
    let mut named: Vec<&Arc<Channel>> = named.iter().collect();
    named.sort_by_cached_key(|channel| (!search.begins(&channel.name), place(&channel.name, channel.id.uuid())));
    with_courses(ctx, named.into_iter().take(CANDIDATES)).await
}

async fn suggested_instructors(ctx: &Context<'_>, search: &Search) -> Result<Vec<Arc<User>>> {
    let named = loaders(ctx).load(TeamNamed(search.needed())).await?.unwrap_or_default();
    let mut named: Vec<&Arc<User>> = named.iter().collect();
    named.sort_by_cached_key(|user| (!search.begins(&user.name), place(&user.name, user.id.uuid())));
    who_teach(ctx, named.into_iter().take(CANDIDATES)).await
}

/// The position of a name in a list.
fn place(name: &str, id: Uuid) -> (String, Uuid) {
    (name.to_lowercase(), id)
}

/// Returns those of these channels that have a published course, in the same order.
async fn with_courses(ctx: &Context<'_>, channels: impl Iterator<Item = &Arc<Channel>>) -> Result<Vec<ChannelObject>> {
    let checks = channels.map(async |channel| {
        let count = loaders(ctx).load(ChannelCount(channel.id)).await?;
        Result::Ok(count.map(|_| ChannelObject(channel.clone())))
    });
    Ok(try_join_all(checks).await?.into_iter().flatten().collect())
}

/// Returns those of these users who teach a published course, in the same order.
async fn who_teach(ctx: &Context<'_>, users: impl Iterator<Item = &Arc<User>>) -> Result<Vec<Arc<User>>> {
    let checks = users.map(async |user| {
        let teaches = loaders(ctx).load(HasPublished(user.id)).await?;
        Result::Ok(teaches.map(|()| user.clone()))
    });
    Ok(try_join_all(checks).await?.into_iter().flatten().collect())
}
