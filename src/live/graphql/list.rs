//! Lists of live sessions.

use async_graphql::{Context, Object};

use super::session::LiveSessionObject;
use crate::accounts::viewer;
use crate::catalog::course_node;
use crate::graphql::context::{app, loaders, within};
use crate::graphql::guard::{Role, Scope, public, scoped};
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::{Connection, PageArgs, Result, Scoped, Sequential, Time};
use crate::live::loader::{SessionCount, SessionPage};
use crate::live::model::{LiveSessionFilter, SessionWhich};
use crate::platform::db::storable;

const LIST: &str = "liveSessions";

/// Returns what a filter selects.
fn which(ctx: &Context<'_>, filter: LiveSessionFilter) -> SessionWhich {
    let time = |time: Option<Time>| time.map(|Time(at)| storable(at));
    SessionWhich {
        course: filter.course_id,
        category: filter.category_id,
        host: filter.host_id,
        from: time(filter.starts_from),
        to: time(filter.starts_to),
        statuses: filter.statuses.map(|statuses| (statuses, app(ctx).clock.now())),
        of: None,
        published: false,
    }
}

async fn listed(
    ctx: &Context<'_>,
    which: SessionWhich,
    args: PageArgs,
) -> Result<Sequential<Connection<LiveSessionObject>>> {
    let page = args.timed_page(LIST)?;
    let rows = loaders(ctx).load(SessionPage(which.clone(), page.clone())).await?.unwrap_or_default();
    let connection = page.connection(rows, LiveSessionObject, |LiveSessionObject(row)| {
        encode_cursor(LIST, &(row.starts_at.timestamp_micros(), row.id.uuid()))
    });
    if !wants_total(ctx) {
        return Ok(Sequential(connection));
    }
    let total = loaders(ctx).load(SessionCount(which)).await?.unwrap_or_default();
    Ok(Sequential(connection.with_total(total)))
}

/// The list of all sessions.
#[derive(Default)]
pub(super) struct LiveSessionQuery;

#[Object]
impl LiveSessionQuery {
    /// The live sessions of published courses and those about no course, earliest first. For the calendar of a draft
    /// course, pass its id: who may see the course sees its sessions.
    #[graphql(directive = public::apply())]
    #[allow(clippy::too_many_arguments)]
    async fn live_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which sessions to return; defaults to all.")] filter: Option<LiveSessionFilter>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<Connection<LiveSessionObject>>> {
        let which = which(ctx, filter.unwrap_or_default());
        let sees_course = match which.course {
            Some(course) => course_node(ctx, course).await?.is_some(),
            None => false,
        };
        let which = SessionWhich { published: !sees_course, ..which };
        listed(ctx, which, PageArgs { first, after, last, before }).await
    }
}

/// The sessions of the viewer.
#[derive(Default)]
pub(super) struct ViewerLiveSessions;

#[Object]
impl ViewerLiveSessions {
    /// The live sessions that the user hosts, has or had a seat in, or waits for, earliest first.
    #[graphql(
        guard = "Scoped(Role::Student, Scope::ReadLearning)",
        directive = scoped::apply(Role::Student, Scope::ReadLearning)
    )]
    #[allow(clippy::too_many_arguments)]
    async fn live_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which sessions to return; defaults to all.")] filter: Option<LiveSessionFilter>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<LiveSessionObject>>>> {
        let of = Some(viewer(within(ctx, Scope::ReadLearning))?);
        let which = SessionWhich { of, ..which(ctx, filter.unwrap_or_default()) };
        listed(ctx, which, PageArgs { first, after, last, before }).await.map(Some)
    }
}
