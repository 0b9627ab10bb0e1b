//! Queries for courses and new videos.

use async_graphql::{Context, Object};

use super::browse::Within;
use super::course::{CourseObject, visible};
use super::facet::{CourseConnection, CourseFacets};
use super::lesson::{LessonObject, lesson_node};
use super::new_video::{LIST, NewVideoObject};
use super::subscription::Subject;
use crate::accounts::viewer;
use crate::catalog::loader::{CourseById, CourseBySlug, TaughtCount, TaughtPage};
use crate::catalog::model::{CourseId, LessonId, Which};
use crate::channels::ChannelId;
use crate::graphql::caching::cache_control;
use crate::graphql::context::{app, loaders, within};
use crate::graphql::guard::{Role, Scope, public, scoped};
use crate::graphql::id::Name;
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::{Connection, Error, PageArgs, Result, Scoped, Sequential};
use crate::platform::outbox::{Position, feed};

const VIEWER_COURSES: &str = "viewer.courses";

/// The courses of the viewer.
#[derive(Default)]
pub(super) struct ViewerCourses;

#[Object]
impl ViewerCourses {
    /// The courses that the user teaches, including drafts, most recently created first.
    #[graphql(
        guard = "Scoped(Role::Instructor, Scope::ReadCourses)",
        directive = scoped::apply(Role::Instructor, Scope::ReadCourses)
    )]
    async fn courses(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<CourseConnection>>> {
        let page = PageArgs { first, after, last, before }.timed_page(VIEWER_COURSES)?;
        let viewer = viewer(within(ctx, Scope::ReadCourses))?;
        let rows = loaders(ctx).load(TaughtPage(viewer, page.clone())).await?.unwrap_or_default();
        let connection = page.connection(rows, CourseObject, |CourseObject(course)| {
            encode_cursor(VIEWER_COURSES, &(course.created_at.timestamp_micros(), course.id))
        });
        let connection = connection.with_fields(CourseFacets::new(Within::TaughtBy(viewer), Some(Which::default())));
        if !wants_total(ctx) {
            return Ok(Some(Sequential(connection)));
        }
        let total = loaders(ctx).load(TaughtCount(viewer)).await?.unwrap_or_default();
        Ok(Some(Sequential(connection.with_total(total))))
    }
}

/// The queries for courses and new videos.
#[derive(Default)]
pub(super) struct CourseQuery;

#[Object]
impl CourseQuery {
    /// A course by its id or its slug; null if there is none, or if the viewer may not see it. Earlier slugs of the
    /// course work, too: if its `slug` is not the one that you passed, a site can redirect to it.
    #[graphql(directive = public::apply(), directive = cache_control::apply(300))]
    async fn course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The course's id; pass either this or `slug`.")] id: Option<CourseId>,
        #[graphql(desc = "The course's URL slug; pass either this or `id`.")] slug: Option<String>,
    ) -> Result<Option<Sequential<CourseObject>>> {
        let course = match Name::of(id, slug)? {
            Name::Id(id) => loaders(ctx).load(CourseById(id)).await?,
            Name::Slug(slug) => loaders(ctx).load(CourseBySlug(slug)).await?,
        };
        Ok(visible(ctx, course).await?.map(Sequential))
    }

    /// The lesson with this id; null if there is none, or if the viewer may not see it.
    #[graphql(directive = public::apply())]
    async fn lesson(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the lesson.")] id: LessonId,
    ) -> Result<Option<Sequential<LessonObject>>> {
        Ok(lesson_node(ctx, id).await?.map(Sequential))
    }

    /// The events that the subscription `newVideo` delivers, oldest first, with the same cursors.
    #[graphql(directive = public::apply())]
    #[allow(clippy::too_many_arguments)]
    async fn new_videos(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only lessons of this course.")] course_id: Option<CourseId>,
        #[graphql(desc = "Only lessons of courses of this channel; pass at most one of the three.")] channel_id: Option<
            ChannelId,
        >,
        #[graphql(
            default,
            desc = "Whether to return only lessons of courses of channels that the viewer follows now: of the 1,000 that \
                    they followed last."
        )]
        following: bool,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<Connection<NewVideoObject>>> {
        let page = PageArgs { first, after, last, before }.page::<Position>(LIST)?;
        let topics = Subject::of(ctx, course_id, channel_id, following).await?.topics(app(ctx)).await?;
        let events = feed::read(app(ctx), &topics, (page.after, page.before), !page.backward, page.fetch()).await;
        let events = events.map_err(|why| Error::unreadable(why, "`newVideos`"))?;
        let connection = page.connection(events, NewVideoObject::from, NewVideoObject::cursor_text);
        if !wants_total(ctx) {
            return Ok(Sequential(connection));
        }
        let total = feed::count(app(ctx), &topics).await?;
        Ok(Sequential(connection.with_total(total)))
    }
}
