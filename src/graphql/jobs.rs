//! The queue of background work in the schema, for administrators.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use serde_json::json;
use uuid::Uuid;

use super::context::{actor, app, client, loaders};
use super::error::payload;
use super::guard::{Role, requires};
use super::loaders::Load;
use super::page::{encode_cursor, wants_total};
use super::{
    Connection, Entity, Error, Id, NodeType, PageArgs, Requires, Result, RootFields, Sequential, UserError,
    UserErrorCode,
};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{self, Actor, Client};
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::list::{self, Listed, Part, State, Which};
use crate::platform::jobs::replay_in;

const JOBS: &str = "jobs";

impl Entity for Listed {
    const PREFIX: &'static str = "job";
}

/// A job in the schema.
#[derive(Clone)]
struct JobObject(Arc<Listed>);

/// A piece of background work: a reaction to an event, a scheduled job, or what a mutation has enqueued. It is deleted
/// when it is done.
#[Object(name = "Job")]
impl JobObject {
    /// The id of the job.
    async fn id(&self) -> Id<Listed> {
        Id::new(self.0.id)
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
struct JobFilter {
    /// Only jobs in one of these states.
    states: Option<Vec<State>>,
    /// Only jobs of one of these kinds, such as `accounts.welcome`.
    kinds: Option<Vec<String>>,
}

/// Selects the job to replay.
#[derive(Debug, InputObject)]
struct ReplayJobInput {
    /// The id of a dead job.
    job_id: Id<Listed>,
}

/// The payload of `replayJob`.
#[derive(SimpleObject)]
struct ReplayJobPayload {
    /// The job, which waits for a worker; null if there are `userErrors`.
    job: Option<Sequential<JobObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The queries of jobs.
#[derive(Default)]
struct JobQuery;

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
        let (app, JobFilter { states, kinds }) = (app(ctx), filter.unwrap_or_default());
        let (which, now) = (Which { states, handlers: kinds }, app.clock.now());
        let page = PageArgs { first, after, last, before }.page::<Uuid>(JOBS)?;
        let part = Part { after: page.after, before: page.before, backward: page.backward, limit: page.fetch() };
        let rows = list::list(&mut *app.db.read().await?, &which, &part, now).await?;
        let object = |job| JobObject(Arc::new(job));
        let connection = page.connection(rows, object, |JobObject(job)| encode_cursor(JOBS, &job.id));
        if !wants_total(ctx) {
            return Ok(Some(Sequential(connection)));
        }
        let total = list::count(&mut *app.db.read().await?, &which, now).await?;
        Ok(Some(Sequential(connection.with_total(total))))
    }
}

/// The mutations of jobs.
#[derive(Default)]
struct JobMutation;

#[Object]
impl JobMutation {
    /// Has a dead job tried again, with all its attempts. The audit trail records it.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn replay_job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The dead job.")] input: ReplayJobInput,
    ) -> Result<Option<Sequential<ReplayJobPayload>>> {
        let (job, user_errors) = payload(replay(app(ctx), actor(ctx), client(ctx), input.job_id).await)?;
        let job = job.map(|job| Sequential(JobObject(Arc::new(job))));
        Ok(Some(Sequential(ReplayJobPayload { job, user_errors })))
    }
}

async fn replay(app: &App, actor: &Actor, client: &Client, id: Id<Listed>) -> Result<Listed> {
    app.db
        .transaction(async |tx| {
            let is_replayed = replay_in(tx, id.uuid(), app.clock.now()).await?;
            let found = list::by_ids(tx.conn(), &[id.uuid()]).await?.pop();
            let Some(job) = found else {
                let message = "There is no such job; it is deleted when it is done.";
                return Err(Error::invalid(UserErrorCode::NotFound, &["jobId"], message));
            };
            if !is_replayed {
                let message = "The job is not dead: it is tried again by itself.";
                return Err(Error::invalid(UserErrorCode::NotAllowed, &["jobId"], message));
            }
            let details = json!({ "jobId": id.encode(), "kind": job.handler });
            let entry = Entry { action: Action::JobReplayed, actor: actor.id(), subject: None, client, details };
            audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await?;
            Ok(job)
        })
        .await
}

/// Loads a job by id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct JobById(Uuid);

impl Load for JobById {
    type Value = Arc<Listed>;

    async fn load(app: &App, keys: &[Self]) -> std::result::Result<HashMap<Self, Arc<Listed>>, InternalError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = list::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|job| (JobById(job.id), Arc::new(job))).collect())
    }
}

async fn node(ctx: &Context<'_>, id: Id<Listed>) -> Result<Option<JobObject>> {
    if !actor(ctx).has(auth::Role::Admin) {
        return Ok(None);
    }
    Ok(loaders(ctx).load(JobById(id.uuid())).await?.map(JobObject))
}

/// Returns the query fields.
pub(super) fn queries() -> Box<dyn RootFields> {
    Box::new(JobQuery)
}

/// Returns the mutation fields.
pub(super) fn mutations() -> Box<dyn RootFields> {
    Box::new(JobMutation)
}

/// Returns the node type.
pub(super) fn nodes() -> Vec<NodeType> {
    vec![NodeType::new(|ctx, id| node(ctx, id).boxed())]
}
