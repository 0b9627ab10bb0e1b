//! Batches of the keys of one type, and single statements for those that are read alone.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use futures_util::FutureExt;
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::{Load, Reader};
use crate::platform::App;
use crate::platform::db;
use crate::platform::internal_error::InternalError;

/// The statements of a [`Load::ALONE`] type in flight: at most as many as `LYCEUM_SEARCHES` allows.
pub(super) struct Alone<K: Load>(Mutex<Vec<Running<K>>>);

struct Running<K: Load> {
    key: K,
    /// Its start in the sequence of changes.
    since: db::Instant,
    batch: Arc<Batch<K>>,
}

impl<K: Load> Default for Alone<K> {
    fn default() -> Self {
        Alone(Mutex::default())
    }
}

impl<K: Load> Alone<K> {
    /// Returns the statement in flight for `key`, unless any key has changed since it was sent.
    pub(super) fn running(&self, app: &App, key: &K) -> Option<Arc<Batch<K>>> {
        let now = app.db.invalidation().now();
        let running = self.lock();
        running.iter().find(|running| running.since == now && running.key == *key).map(|running| running.batch.clone())
    }

    /// Sends the statement for `key` in a separate task.
    ///
    /// Other requests may wait for it, too.
    pub(super) fn run(self: &Arc<Self>, reader: &Arc<Reader>, key: &K, permit: OwnedSemaphorePermit) -> Arc<Batch<K>> {
        let batch: Arc<Batch<K>> = Arc::default();
        let since = reader.app.db.invalidation().now();
        self.lock().push(Running { key: key.clone(), since, batch: batch.clone() });
        let (alone, tasks) = (self.clone(), reader.app.tasks.clone());
        let (reader, key, running) = (reader.clone(), key.clone(), batch.clone());
        let sending = async move {
            running.answer(reader.answer(vec![key]).await);
            alone.lock().retain(|other| !Arc::ptr_eq(&other.batch, &running));
            drop(permit);
        };
        tasks.spawn(sending.boxed());
        batch
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Running<K>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Batches the keys of one type.
///
/// One batch is in flight at a time while the next one grows, so that batches are large under load. Compared to two or
/// four batches in flight, this saves PostgreSQL a sixth of the work at 16 clients.
pub(super) struct Queue<K: Load>(Mutex<Queued<K>>);

struct Queued<K: Load> {
    /// The batch that new keys join.
    next: Arc<Batch<K>>,
    /// The distinct keys of the next batch so far.
    keys: Vec<K>,
    /// Where in `keys` those with these hashes are.
    places: HashMap<u64, usize>,
    hasher: RandomState,
    /// Whether the next batch can be sent: a load has yielded to its siblings.
    due: bool,
    /// Whether a batch is in flight.
    busy: bool,
}

impl<K: Load> Default for Queue<K> {
    fn default() -> Self {
        let (next, keys, places, hasher) = (Arc::default(), Vec::new(), HashMap::new(), RandomState::new());
        Queue(Mutex::new(Queued { next, keys, places, hasher, due: false, busy: false }))
    }
}

impl<K: Load> Queue<K> {
    /// Adds a key to the next batch.
    pub(super) fn join(&self, key: &K) -> Arc<Batch<K>> {
        let queued = &mut *self.lock();
        let is_there = match queued.places.entry(queued.hasher.hash_one(key)) {
            Entry::Vacant(place) => {
                place.insert(queued.keys.len());
                false
            }
            // Another key may have the same hash.
            Entry::Occupied(place) => queued.keys.get(*place.get()) == Some(key) || queued.keys.contains(key),
        };
        if !is_there {
            queued.keys.push(key.clone());
        }
        queued.next.clone()
    }

    /// Sends `batch`, unless a sibling has done so already.
    ///
    /// If another batch is in flight, its task sends this one afterwards.
    pub(super) fn start(self: &Arc<Self>, reader: &Arc<Reader>, batch: &Arc<Batch<K>>) {
        let mut queued = self.lock();
        if !Arc::ptr_eq(&queued.next, batch) {
            return;
        }
        queued.due = true;
        if queued.busy {
            return;
        }
        queued.busy = true;
        drop(queued);
        let (queue, reader, tasks) = (self.clone(), reader.clone(), reader.app.tasks.clone());
        // A separate task, because the request that started the batch may be dropped while others still wait.
        // Boxed, because a separate task type for each key type compiles to about a hundred more functions each.
        let sending = async move {
            while let Some((batch, keys)) = queue.take() {
                let answer = reader.answer(keys).await;
                reader.waking.fetch_add(1, Ordering::SeqCst);
                batch.answer(answer);
                reader.waking.fetch_sub(1, Ordering::SeqCst);
            }
        };
        tasks.spawn(sending.boxed());
    }

    /// Takes the next batch with its keys if it is due; otherwise clears `busy`.
    ///
    /// Both happen under one lock, so that a later [`Queue::start`] either finds a task that will take its batch or
    /// spawns a new one.
    fn take(&self) -> Option<(Arc<Batch<K>>, Vec<K>)> {
        let mut queued = self.lock();
        if !std::mem::take(&mut queued.due) {
            queued.busy = false;
            return None;
        }
        queued.places.clear();
        Some((std::mem::take(&mut queued.next), std::mem::take(&mut queued.keys)))
    }

    fn lock(&self) -> MutexGuard<'_, Queued<K>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a batch has found: a map for each of its statements.
pub(super) type Found<K> = Vec<HashMap<K, <K as Load>::Value>>;
/// The same, unless it has failed.
pub(super) type Answer<K> = Result<Found<K>, InternalError>;

/// Returns what a batch has found for a key.
pub(super) fn value_of<K: Load>(found: &Found<K>, key: &K) -> Option<K::Value> {
    found.iter().find_map(|values| values.get(key)).cloned()
}

/// The shared result of a batch.
///
/// All keys resolve at once, so that a level of a query continues together.
pub(super) struct Batch<K: Load> {
    answer: OnceLock<Answer<K>>,
    answered: Notify,
}

impl<K: Load> Default for Batch<K> {
    fn default() -> Self {
        Batch { answer: OnceLock::new(), answered: Notify::new() }
    }
}

impl<K: Load> Batch<K> {
    pub(super) async fn value(&self, key: &K) -> Result<Option<K::Value>, InternalError> {
        loop {
            // Created before the check, so that a notification after the check is not missed.
            let answered = self.answered.notified();
            match self.answer.get() {
                Some(Ok(found)) => return Ok(value_of(found, key)),
                Some(Err(error)) => return Err(error.copy()),
                None => answered.await,
            }
        }
    }

    fn answer(&self, answer: Answer<K>) {
        // It is set only once: a batch has one task, which has taken it out of the queue.
        drop(self.answer.set(answer));
        self.answered.notify_waiters();
    }
}
