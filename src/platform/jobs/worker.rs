//! Runs due jobs, a few at a time.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::query::{self, Job};
use super::{JobDied, MAX_ATTEMPTS, Postponed, Registry, retry_at};
use crate::platform::App;
use crate::platform::fault::Fault;
use crate::platform::outbox;

/// Jobs run at a time by one worker.
const SLOTS: usize = 8;
/// How long a worker holds a job without saying that it is still alive.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// How often it says so.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How often to look although nobody called.
const POLL: Duration = Duration::from_millis(500);

/// One worker of this process.
pub struct Worker {
    app: App,
    registry: Registry,
    id: Uuid,
    slots: Arc<Semaphore>,
    in_hand: Arc<Mutex<HashSet<Uuid>>>,
    running: TaskTracker,
}

impl Worker {
    /// A worker that knows the handlers of `registry`.
    pub fn new(app: App, registry: Registry) -> Worker {
        Worker {
            app,
            registry,
            id: Uuid::new_v4(),
            slots: Arc::new(Semaphore::new(SLOTS)),
            in_hand: Arc::default(),
            running: TaskTracker::new(),
        }
    }

    /// Works until the application stops, then finishes what is running and gives back the rest.
    pub async fn run(self) {
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        let mut more = true;
        loop {
            let next = async {
                if more {
                    // There was work for every slot, so there may be for the next one that is free.
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
                Err(fault) => {
                    tracing::warn!(fault = fault.report(), "the worker cannot take jobs; it tries again");
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
        if let Ok(mut conn) = self.app.db.read().await
            && let Err(error) = query::release(&mut conn, self.id).await
        {
            tracing::warn!(%error, "leases were not released; they end by themselves");
        }
    }

    /// Runs everything that is due now and waits for it; for tests and one-off commands.
    ///
    /// # Errors
    /// The database failed. A job's own failure is not an error here: it is in its row.
    pub async fn drain(&self) -> Result<(), Fault> {
        loop {
            // Asked first: what a job enqueues is there before the job leaves the hand.
            let idle = self.in_hand().is_empty();
            if self.take().await? == 0 && idle {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Takes as many due jobs as there are free slots and starts them.
    async fn take(&self) -> Result<usize, Fault> {
        let free = self.slots.available_permits();
        if free == 0 {
            return Ok(0);
        }
        let now = self.app.clock.now();
        let jobs = {
            let mut conn = self.app.db.read().await?;
            let in_hand: Vec<Uuid> = self.in_hand().iter().copied().collect();
            query::lease(&mut conn, self.id, &in_hand, i64::try_from(free)?, now, now + LEASE).await?
        };
        let taken = jobs.len();
        for job in jobs {
            let Ok(slot) = self.slots.clone().acquire_owned().await else { break };
            self.in_hand().insert(job.id);
            let (app, registry, id, in_hand) = (self.app.clone(), self.registry.clone(), self.id, self.in_hand.clone());
            self.running.spawn(async move {
                let job_id = job.id;
                if let Err(fault) = work(&app, &registry, id, job).await {
                    // The lease ends by itself and the job runs again.
                    tracing::warn!(fault = fault.report(), job = %job_id, "a job's outcome was not stored");
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
        let until = self.app.clock.now() + LEASE;
        let renewed =
            async { Ok::<_, Fault>(query::renew(&mut *self.app.db.read().await?, self.id, &ids, until).await?) };
        if let Err(fault) = renewed.await {
            tracing::warn!(fault = fault.report(), "leases were not renewed");
        }
    }

    fn in_hand(&self) -> std::sync::MutexGuard<'_, HashSet<Uuid>> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs one job and stores how it went.
async fn work(app: &App, registry: &Registry, worker: Uuid, job: Job) -> Result<(), Fault> {
    let Err(fault) = attempt(app, registry, &job).await else {
        query::finish(&mut *app.db.read().await?, worker, job.id).await?;
        return Ok(());
    };
    let now = app.clock.now();
    if let Some(Postponed(wait)) = fault.downcast_ref() {
        query::postpone(&mut *app.db.read().await?, worker, job.id, now + *wait).await?;
        return Ok(());
    }
    let why = fault.report();
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
                outbox::record(tx, &app.clock, &JobDied { handler: job.handler, payload: job.payload }).await?;
            }
            Ok(())
        })
        .await
}

async fn attempt(app: &App, registry: &Registry, job: &Job) -> Result<(), Fault> {
    let Some(handler) = registry.get(&job.handler) else {
        return Err(Fault::new(format!("this version of the program has no handler called {}", job.handler)));
    };
    // Called inside as well: a handler may panic before it returns its future.
    let run = AssertUnwindSafe(async { (handler.run)(app.clone(), job.payload.clone()).await }).catch_unwind();
    match tokio::time::timeout(handler.timeout, run).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(Fault::new("the handler panicked")),
        Err(_) => Err(Fault::new(format!("the handler took longer than {} s", handler.timeout.as_secs_f64()))),
    }
}
