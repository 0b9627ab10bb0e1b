//! Reports of posts and moderation in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::mutation::{WRITER, writer};
use super::post::{PostObject, post_object};
use crate::accounts::{UserId, UserObject, user_node};
use crate::catalog::{self, CourseById, CourseObject, course_node};
use crate::discussions::command::{self, Deleted};
use crate::discussions::error;
use crate::discussions::loader::{PostById, ReportById, ReportCount, ReportPage};
use crate::discussions::model::{
    ModeratePostInput, PostId, Report, ReportFilter, ReportId, ReportPostInput, Resolution, WhichReports,
};
use crate::graphql::context::{client, loaders, within};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::{Connection, PageArgs, Result, Scoped, Sequential, UserError};
use crate::platform::auth;

const LIST: &str = "reports";

/// A report in the schema.
#[derive(Clone)]
pub(super) struct ReportObject(Arc<Report>);

/// A report of a post, by a user or by the server's own rules. Visible to the course's team, to administrators and to
/// the user who made it.
#[Object(name = "Report")]
impl ReportObject {
    /// The id of the report.
    async fn id(&self) -> ReportId {
        self.0.id
    }

    /// The course of the post; null if it is not visible to the viewer.
    async fn course(&self, ctx: &Context<'_>) -> Result<Option<Sequential<CourseObject>>> {
        Ok(course_node(ctx, self.0.course_id).await?.map(Sequential))
    }

    /// The post; null if it was deleted, or is not visible to the viewer.
    async fn post(&self, ctx: &Context<'_>) -> Result<Option<PostObject>> {
        let Some(id) = self.0.post_id else { return Ok(None) };
        let Some(post) = loaders(ctx).load(PostById(id)).await? else { return Ok(None) };
        let reader = within(ctx, Scope::ReadDiscussions);
        match command::find(loaders(ctx), reader, post.post_id()).await? {
            Some(found) => post_object(ctx, found).await.map(Some),
            None => Ok(None),
        }
    }

    /// The user who made the report; null if the post was held automatically, or if the account was deleted.
    async fn reporter(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        let Some(id) = self.0.reporter_id else { return Ok(None) };
        Ok(user_node(ctx, id).await?.map(Sequential))
    }

    /// The reason; empty if the account of the user who made the report was deleted.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// When the report was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the report was resolved; null while it is open.
    async fn resolved_at(&self) -> Option<DateTime<Utc>> {
        self.0.resolved_at
    }

    /// What became of the report; null while it is open.
    async fn resolution(&self) -> Option<Resolution> {
        self.0.resolution
    }
}

/// Returns the report with this id, if the viewer may see it.
pub(super) async fn report_node(ctx: &Context<'_>, id: ReportId) -> Result<Option<ReportObject>> {
    let viewer = within(ctx, Scope::ReadDiscussions);
    let Some(report) = loaders(ctx).load(ReportById(id)).await? else { return Ok(None) };
    let own = report.reporter_id.is_some_and(|user| viewer.is(user));
    let seen = own
        || match loaders(ctx).load(CourseById(report.course_id)).await? {
            Some(course) => catalog::is_in_team(loaders(ctx), viewer, &course).await?,
            None => false,
        };
    Ok(seen.then_some(ReportObject(report)))
}

/// The queue of the moderators.
#[derive(Default)]
pub(super) struct ReportQuery;

#[Object]
impl ReportQuery {
    /// The reports of posts, latest first: for administrators and for the teams of courses.
    #[graphql(
        guard = "Scoped(Role::Instructor, Scope::ReadDiscussions)",
        directive = scoped::apply(Role::Instructor, Scope::ReadDiscussions)
    )]
    #[allow(clippy::too_many_arguments)]
    async fn reports(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which reports to return; defaults to all that the viewer may see.")] filter: Option<
            ReportFilter,
        >,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<ReportObject>>>> {
        let page = PageArgs { first, after, last, before }.page::<Uuid>(LIST)?;
        let which = Arc::new(which(ctx, filter.unwrap_or_default()).await?);
        let rows = loaders(ctx).load(ReportPage(which.clone(), page.clone())).await?.unwrap_or_default();
        let connection =
            page.connection(rows, ReportObject, |report: &ReportObject| encode_cursor(LIST, &report.0.id.uuid()));
        if !wants_total(ctx) {
            return Ok(Some(Sequential(connection)));
        }
        let total = loaders(ctx).load(ReportCount(which)).await?.unwrap_or_default();
        Ok(Some(Sequential(connection.with_total(total))))
    }
}

/// Returns the reports that the viewer may see.
async fn which(ctx: &Context<'_>, filter: ReportFilter) -> Result<WhichReports> {
    let viewer = within(ctx, Scope::ReadDiscussions);
    let courses = match filter.course_id {
        Some(id) => {
            let course = loaders(ctx).load(CourseById(id)).await?.ok_or_else(error::no_such_course)?;
            if !catalog::is_in_team(loaders(ctx), viewer, &course).await? {
                return Err(error::no_such_course());
            }
            Some(vec![id])
        }
        None if viewer.has(auth::Role::Admin) => None,
        None => {
            let user = viewer.id().map(UserId::new).unwrap_or(UserId::new(Uuid::nil()));
            Some(catalog::taught_courses(loaders(ctx).app(), user).await?)
        }
    };
    Ok(WhichReports { courses: courses.map(Into::into), is_resolved: filter.is_resolved })
}

/// The payload of `reportPost`.
#[derive(SimpleObject)]
pub(super) struct ReportPostPayload {
    /// The report; null if there are `userErrors`.
    report: Option<Sequential<ReportObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `moderatePost`.
#[derive(SimpleObject)]
pub(super) struct ModeratePostPayload {
    /// The post in its current state; null if it was deleted without a tombstone, and if there are `userErrors`.
    post: Option<PostObject>,
    /// The id of the post if it was deleted without a tombstone; otherwise null.
    deleted_post_id: Option<PostId>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The mutations of reports and moderation.
#[derive(Default)]
pub(super) struct ReportMutation;

#[Object]
impl ReportMutation {
    /// Reports a post to the course's team and the administrators. Everybody who sees a post may report it once;
    /// another time returns the first report.
    #[graphql(guard = "WRITER", directive = scoped::apply(Role::Student, Scope::WriteDiscussions))]
    async fn report_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The post and the reason.")] input: ReportPostInput,
    ) -> Result<Option<Sequential<ReportPostPayload>>> {
        let (made, user_errors) = payload(command::report_post(loaders(ctx), writer(ctx), input).await)?;
        let report = made.map(|row| Sequential(ReportObject(Arc::new(row))));
        Ok(Some(Sequential(ReportPostPayload { report, user_errors })))
    }

    /// Pins, locks, hides, restores or removes a post, or dismisses its reports. The course's team and administrators
    /// may. It is recorded in the audit trail.
    #[graphql(guard = "WRITER", directive = scoped::apply(Role::Student, Scope::WriteDiscussions))]
    async fn moderate_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The post, and what to do with it.")] input: ModeratePostInput,
    ) -> Result<Option<Sequential<ModeratePostPayload>>> {
        let id = input.post_id;
        let outcome = command::moderate_post(loaders(ctx), writer(ctx), client(ctx), input).await;
        let (left, user_errors) = payload(outcome)?;
        let (post, deleted_post_id) = match left {
            Some(Deleted::Buried(found)) => (Some(post_object(ctx, *found).await?), None),
            Some(Deleted::Gone) => (None, Some(id)),
            None => (None, None),
        };
        Ok(Some(Sequential(ModeratePostPayload { post, deleted_post_id, user_errors })))
    }
}
