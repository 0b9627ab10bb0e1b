//! The queue of background work in the schema, for administrators.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::accounts::command;
use crate::accounts::loader::{JobById, JobCount, JobsPage};
use crate::accounts::model::{JobId, ListedJob};
use crate::accounts::policy;
use crate::graphql::context::{actor, app, client, loaders};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, requires};
use crate::graphql::page::{encode_cursor, wants_total};
use crate::graphql::{Connection, PageArgs, Requires, Result, Sequential, UserError};
use crate::platform::jobs::list::{Part, State, Which};

const JOBS: &str = "jobs";

/// A job in the schema.
#[derive(Clone)]
pub(super) struct JobObject(Arc<ListedJob>);

/// A piece of background work: a reaction to an event, a scheduled job, or what a mutation has enqueued. It is deleted
/// when it is done.
#[Object(name = "Job")]
impl JobObject {
    /// The id of the job.
    async fn id(&self) -> JobId {
        JobId::new(self.0.id)
    }

    /// What it does, such as `accounts.welcome`: the feature and the task.
    async fn kind(&self) -> &str {
        &self.0.handler
    }

    /// What it is doing.
    async fn state(&self, ctx: &Context<'_>) -> State {
        self.0.state(app(ctx).clock.now())
    }

    /// How often it was attempted, including the current run. After eight failures it is dead.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// When it was enqueued.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it is due: the first time, or again after a failure.
    async fn run_at(&self) -> DateTime<Utc> {
        self.0.run_at
    }

    /// When it used up its attempts; null unless it is dead.
    async fn died_at(&self) -> Option<DateTime<Utc>> {
        self.0.dead_at
    }

    /// The error of the last failure, without user names, passwords and queries of URLs; null if it has not failed.
    async fn last_error(&self) -> Option<String> {
        self.0.shown_error()
    }
}

/// Selects jobs. The fields are combined with AND; omitted fields match everything.
#[derive(Clone, Debug, Default, InputObject)]
pub(super) struct JobFilter {
    /// Only jobs in one of these states.
    states: Option<Vec<State>>,
    /// Only jobs of one of these kinds, such as `accounts.welcome`.
    kinds: Option<Vec<String>>,
}

/// Selects the job to replay.
#[derive(Debug, InputObject)]
pub(super) struct ReplayJobInput {
    /// The id of a dead job.
    job_id: JobId,
}

/// The payload of `replayJob`.
#[derive(SimpleObject)]
pub(super) struct ReplayJobPayload {
    /// The job, which waits for a worker; null if there are `userErrors`.
    job: Option<Sequential<JobObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The queries of jobs.
#[derive(Default)]
pub(super) struct JobQuery;

#[Object]
impl JobQuery {
    /// The background work that is waiting, running or dead, newest first.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which jobs to return; defaults to all.")] filter: Option<JobFilter>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<JobObject>>>> {
        let JobFilter { states, kinds } = filter.unwrap_or_default();
        let which = Which { states, handlers: kinds };
        let page = PageArgs { first, after, last, before }.page::<Uuid>(JOBS)?;
        let part = Part { after: page.after, before: page.before, backward: page.backward, limit: page.fetch() };
        let rows = loaders(ctx).load(JobsPage(which.clone(), part)).await?.unwrap_or_default();
        let object = |job| JobObject(Arc::new(job));
        let connection = page.connection(rows, object, |JobObject(job)| encode_cursor(JOBS, &job.id));
        if !wants_total(ctx) {
            return Ok(Some(Sequential(connection)));
        }
        let total = loaders(ctx).load(JobCount(which)).await?.unwrap_or_default();
        Ok(Some(Sequential(connection.with_total(total))))
    }
}

/// The mutations of jobs.
#[derive(Default)]
pub(super) struct JobMutation;

#[Object]
impl JobMutation {
    /// Has a dead job tried again, with all its attempts. The audit trail records it.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn replay_job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The dead job.")] input: ReplayJobInput,
    ) -> Result<Option<Sequential<ReplayJobPayload>>> {
        let (job, user_errors) = payload(command::replay_job(app(ctx), actor(ctx), client(ctx), input.job_id).await)?;
        let job = job.map(|job| Sequential(JobObject(Arc::new(job))));
        Ok(Some(Sequential(ReplayJobPayload { job, user_errors })))
    }
}

/// Returns a job for administrators.
pub(super) async fn job_node(ctx: &Context<'_>, id: JobId) -> Result<Option<JobObject>> {
    if !policy::can_administer(actor(ctx)) {
        return Ok(None);
    }
    Ok(loaders(ctx).load(JobById(id)).await?.map(JobObject))
}
