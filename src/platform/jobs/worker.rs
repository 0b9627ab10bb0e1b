//! A worker that runs due jobs concurrently.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::query::{self, Job, Wanted};
use super::{JobDied, MAX_ATTEMPTS, Postponed, Registry, retry_at};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

/// The number of slots for short jobs.
const SLOTS: usize = 8;
/// How often leases are renewed.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How often to poll for due jobs when idle.
const POLL: Duration = Duration::from_millis(500);

/// A worker of this process.
pub struct Worker {
    app: App,
    registry: Registry,
    id: Uuid,
    slots: Arc<Semaphore>,
    long_slots: Arc<Semaphore>,
    /// The handlers in the lane for long jobs.
    long: Vec<&'static str>,
    in_hand: Arc<Mutex<HashSet<Uuid>>>,
    running: TaskTracker,
}

impl Worker {
    /// Returns a worker with the handlers of `registry`.
    pub fn new(app: App, registry: Registry) -> Worker {
        Worker {
            long: registry.long().collect(),
            // Without ffmpeg, a long job only records that.
            long_slots: Arc::new(Semaphore::new(app.config.video.transcodes)),
            app,
            registry,
            id: Uuid::new_v4(),
            slots: Arc::new(Semaphore::new(SLOTS)),
            in_hand: Arc::default(),
            running: TaskTracker::new(),
        }
    }

    /// Runs jobs until the application stops. Then lets running jobs finish and releases the rest.
    pub async fn run(self) {
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        let mut more = true;
        loop {
            let next = async {
                if more {
                    // The last poll found work, so there may be more as soon as a slot is free.
                    drop(self.slots.acquire().await);
                } else {
                    tokio::time::sleep(POLL).await;
                }
            };
            tokio::select! {
                biased;
                () = self.app.stopping.cancelled() => break,
                _ = heartbeat.tick() => {
                    self.renew().await;
                    continue;
                }
                () = next => {}
            }
            more = match self.take().await {
                Ok(taken) => taken > 0,
                Err(error) => {
                    tracing::warn!(error = error.report(), "the worker cannot take jobs; it tries again");
                    false
                }
            };
        }
        self.running.close();
        let finish = async {
            loop {
                tokio::select! {
                    () = self.running.wait() => return,
                    _ = heartbeat.tick() => self.renew().await,
                }
            }
        };
        if tokio::time::timeout(self.app.config.shutdown_grace, finish).await.is_err() {
            tracing::warn!("jobs were interrupted by the shutdown; they run again elsewhere");
        }
        if let Ok(mut writer) = self.app.db.write().await
            && let Err(error) = query::release(&mut writer, self.id).await
        {
            tracing::warn!(%error, "leases were not released; they end by themselves");
        }
    }

    /// Runs all due jobs and waits for them; for tests and one-off commands.
    ///
    /// # Errors
    /// The database failed. A job's failure is not an error of this function: it is stored in the job's row.
    pub async fn drain(&self) -> Result<(), InternalError> {
        loop {
            // Checked before polling: a job enqueues further jobs before it is removed from the set.
            let idle = self.in_hand().is_empty();
            if self.take().await? == 0 && idle {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Leases as many due jobs as there are free slots and starts them; returns their number.
    async fn take(&self) -> Result<usize, InternalError> {
        let long = if self.long.is_empty() { 0 } else { self.take_from(&self.long_slots, true).await? };
        Ok(long + self.take_from(&self.slots, false).await?)
    }

    async fn take_from(&self, slots: &Arc<Semaphore>, is_long: bool) -> Result<usize, InternalError> {
        let free = slots.available_permits();
        if free == 0 {
            return Ok(0);
        }
        let jobs = {
            let mut writer = self.app.db.write().await?;
            let in_hand: Vec<Uuid> = self.in_hand().iter().copied().collect();
            let (now, offset) = (self.app.clock.now(), self.app.clock.offset());
            let limit = i64::try_from(free)?;
            let wanted = Wanted { is_long, long: &self.long, in_hand: &in_hand, limit, now, offset };
            query::lease(&mut writer, self.id, wanted).await?
        };
        let taken = jobs.len();
        for job in jobs {
            let Ok(slot) = slots.clone().acquire_owned().await else { break };
            self.in_hand().insert(job.id);
            let (app, registry, id, in_hand) = (self.app.clone(), self.registry.clone(), self.id, self.in_hand.clone());
            self.running.spawn(async move {
                let job_id = job.id;
                if let Err(error) = work(&app, &registry, id, job).await {
                    // The lease expires and the job runs again.
                    tracing::warn!(error = error.report(), job = %job_id, "a job's outcome was not stored");
                }
                in_hand.lock().unwrap_or_else(PoisonError::into_inner).remove(&job_id);
                drop(slot);
            });
        }
        Ok(taken)
    }

    async fn renew(&self) {
        let ids: Vec<Uuid> = self.in_hand().iter().copied().collect();
        if ids.is_empty() {
            return;
        }
        let offset = self.app.clock.offset();
        let renewed = async {
            Ok::<_, InternalError>(query::renew(&mut self.app.db.write().await?, self.id, &ids, offset).await?)
        };
        if let Err(error) = renewed.await {
            tracing::warn!(error = error.report(), "leases were not renewed");
        }
    }

    fn in_hand(&self) -> std::sync::MutexGuard<'_, HashSet<Uuid>> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs one job and stores the outcome.
async fn work(app: &App, registry: &Registry, worker: Uuid, job: Job) -> Result<(), InternalError> {
    let started = Instant::now();
    let outcome = attempt(app, registry, &job).await;
    log_attempt(&job, outcome.is_ok(), started.elapsed());
    let Err(error) = outcome else {
        query::finish(&mut app.db.write().await?, worker, job.id).await?;
        return Ok(());
    };
    let now = app.clock.now();
    if let Some(Postponed(wait)) = error.downcast_ref() {
        query::postpone(&mut app.db.write().await?, worker, job.id, now + *wait).await?;
        return Ok(());
    }
    let why = error.report();
    let dead_at = (job.attempts >= MAX_ATTEMPTS).then_some(now);
    if dead_at.is_some() {
        tracing::error!(job = %job.id, handler = job.handler, why, "a job is dead");
    } else {
        tracing::warn!(job = %job.id, handler = job.handler, attempt = job.attempts, why, "a job failed");
    }
    let run_at = retry_at(now, job.attempts, rand::random());
    app.db
        .transaction(async |tx| {
            let failed = query::fail(tx, worker, job.id, &why, run_at, dead_at).await?;
            if failed && dead_at.is_some() {
                outbox::record(tx, &app.clock, &JobDied { handler: job.handler.clone(), payload: job.payload.clone() })
                    .await?;
            }
            Ok(())
        })
        .await
}

/// Logs one line at DEBUG. Its target is the feature, which the name of the handler begins with; `log` is used because
/// the targets of `tracing` are constants. Of the payload, only ids are logged.
fn log_attempt(job: &Job, is_done: bool, took: Duration) {
    let target = format!("lyceum::{}", job.handler.split('.').next().unwrap_or_default());
    if !log::log_enabled!(target: &target, log::Level::Debug) {
        return;
    }
    let fields = job.payload.as_object().into_iter().flatten();
    let ids = fields.filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?.parse::<Uuid>().ok()?)));
    let (ids, outcome) = (ids.collect::<Vec<_>>().join(" "), if is_done { "done" } else { "not done" });
    log::debug!(target: &target, "job {} {} {outcome} in {} ms: {ids}", job.id, job.handler, took.as_millis());
}

async fn attempt(app: &App, registry: &Registry, job: &Job) -> Result<(), InternalError> {
    if job.attempts > MAX_ATTEMPTS {
        // No attempt has had an outcome: the job must not end the process again.
        return Err(InternalError::new("the process ended in each attempt"));
    }
    let Some(handler) = registry.get(&job.handler) else {
        return Err(InternalError::new(format!("this version of the program has no handler called {}", job.handler)));
    };
    // The call is inside the future because a handler may panic before it returns its own future.
    let run = AssertUnwindSafe(async { (handler.run)(app.clone(), job.payload.clone()).await }).catch_unwind();
    match tokio::time::timeout(handler.timeout, run).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(InternalError::new("the handler panicked")),
        Err(_) => Err(InternalError::new(format!("the handler took longer than {} s", handler.timeout.as_secs_f64()))),
    }
}
