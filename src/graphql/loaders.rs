//! Batched loads without a registry and without a timer.
//!
//! A feature implements [`Load`] for its own key type in its `loader.rs`. A resolver loads one key at a time, and the
//! keys of one level of a query are combined into one statement.
//!
//! Which loader to use:
//! - [`Loaders`], shared by all requests, for rows that are the same for every viewer. While a batch is in flight, the
//!   keys of all requests are collected for the next one. Values whose changes are tracked are cached for one second
//!   (`row_cache.rs`).
//! - [`Loaders`] with [`Load::ALONE`] for reads that take one statement each, such as searches and filtered lists. They
//!   do not wait for each other: a bounded number is in flight, each on its own connection.
//! - [`ViewerLoaders`](super::viewer_loaders::ViewerLoaders), one per request, for values that depend on the viewer, so
//!   that no other request can see them.
//!
//! A key never joins a statement that was sent before a change, so a client reads its own writes.
//!
//! There is no timer: a load yields once, so that its siblings can add their keys, and then sends the batch. For
//! measurements with `make bench-loaders` (20 keys, release build, no database), see `docs/measurements.md`.

use std::any::{Any, TypeId};
use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::hash::Hash;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::row_cache::RowCache;
use crate::platform::App;
use crate::platform::db::{self, CacheKey};
use crate::platform::internal_error::InternalError;
use crate::platform::shares::Shares;

/// The maximum number of keys in one statement; a larger batch is split.
const STATEMENT_KEYS: usize = 1000;
/// The maximum number of [`Load::ALONE`] reads in flight per client network.
const CLIENT_SEARCHES: usize = 16;
/// How much longer a batch may take than a statement, so that only a dead connection reaches its timeout.
const GRACE: Duration = Duration::from_secs(5);

/// A key that can be loaded in batches.
pub trait Load: Clone + Eq + Hash + Send + Sync + 'static {
    /// The value that a key identifies.
    type Value: Clone + Send + Sync + 'static;

    /// Whether values may be cached on this node for one second.
    ///
    /// After a write on another node, a cached value may be stale for as long.
    const CACHED: bool = false;

    /// Whether each key takes its own statement.
    ///
    /// Keys of such a type gain nothing from a batch: they would only wait for each other.
    const ALONE: bool = false;

    /// Returns whether the key can have a value.
    ///
    /// A key that PostgreSQL would reject must return `false`, so that it does not fail the other keys of its batch.
    fn is_valid(&self) -> bool {
        true
    }

    /// Returns whether the value of this key may be cached, where [`Load::CACHED`] is set.
    fn may_be_cached(&self) -> bool {
        true
    }

    /// Returns the cache keys that a cached value, or its absence, depends on.
    ///
    /// The value is stale once one of them has changed.
    fn depends_on(&self, _value: Option<&Self::Value>) -> Vec<CacheKey> {
        Vec::new()
    }

    /// Returns the size of a value in rows, or in strings of about a row's size.
    ///
    /// The cache is bounded by the total size of its values.
    fn rows(_value: &Self::Value) -> usize {
        1
    }

    /// Loads all `keys` at once; the result omits keys without a value.
    fn load(app: &App, keys: &[Self])
    -> impl Future<Output = Result<HashMap<Self, Self::Value>, InternalError>> + Send;

    /// Loads one key outside a GraphQL query, such as in a job; returns `None` if it has no value.
    fn load_one(self, app: &App) -> impl Future<Output = Result<Option<Self::Value>, InternalError>> + Send {
        async move { Ok(Self::load(app, std::slice::from_ref(&self)).await?.remove(&self)) }
    }
}

/// Puts each row of a list behind an `Arc`, for a value that is cloned for each of its waiters.
pub fn shared<T>(rows: Vec<T>) -> Vec<Arc<T>> {
    rows.into_iter().map(Arc::new).collect()
}

/// All loaders of a process.
pub struct Loaders {
    app: App,
    batchers: RwLock<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    /// The number of batches, of any key type, whose waiters are being woken.
    waking: Arc<AtomicUsize>,
    /// Limits the number of [`Load::ALONE`] statements in flight.
    searches: Arc<Semaphore>,
    /// The [`Load::ALONE`] reads in flight, by client.
    shares: Shares,
}

impl Loaders {
    /// Creates loaders that read through `app`.
    pub fn new(app: App) -> Loaders {
        let searches = Arc::new(Semaphore::new(app.config.searches));
        Loaders {
            app,
            batchers: RwLock::default(),
            waking: Arc::default(),
            searches,
            shares: Shares::new(CLIENT_SEARCHES),
        }
    }

    /// Returns the application that the loaders read through.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Loads the value of `key` in a batch with other keys; returns `None` if there is none.
    ///
    /// # Errors
    /// The batch failed.
    pub async fn load<K: Load>(&self, key: K) -> Result<Option<K::Value>, InternalError> {
        if !key.is_valid() {
            return Ok(None);
        }
        let batcher = self.batcher::<K>();
        if let Some(cached) = batcher.cached(&key) {
            return Ok(cached);
        }
        if K::ALONE {
            return self.load_alone(&batcher, key).await;
        }
        let batch = batcher.join(&key);
        self.let_siblings_ask().await;
        batcher.start(&self.app, &self.waking, &batch);
        batch.value(&key).await
    }

    /// Loads the value of a [`Load::ALONE`] key for the client at `ip`.
    ///
    /// # Errors
    /// `RATE_LIMITED`: the client has too many such reads in flight. Otherwise the read failed.
    pub async fn load_for<K: Load>(&self, ip: IpAddr, key: K) -> Result<Option<K::Value>, super::Error> {
        let wait = Duration::from_secs(1);
        let _share = self.shares.take(ip).ok_or(super::Error::RateLimited { wait })?;
        Ok(self.load(key).await?)
    }

    /// Loads the value of a key that takes its own statement.
    async fn load_alone<K: Load>(&self, batcher: &Arc<Batcher<K>>, key: K) -> Result<Option<K::Value>, InternalError> {
        if let Some(running) = batcher.running(&self.app, &key) {
            return running.value(&key).await;
        }
        // While it waits here, the load is canceled if its request is dropped.
        let permit = self.searches.clone().acquire_owned().await?;
        if let Some(cached) = batcher.cached(&key) {
            return Ok(cached);
        }
        let batch = match batcher.running(&self.app, &key) {
            Some(running) => running,
            None => batcher.run(&self.app, &key, permit),
        };
        batch.value(&key).await
    }

    /// Yields, so that siblings that are ready can add their keys to the batch.
    ///
    /// While the waiters of another batch are being woken, on another thread, it yields again: more siblings are about
    /// to become ready, and the keys of one level of a query belong in one batch.
    async fn let_siblings_ask(&self) {
        loop {
            let calm = self.waking.load(Ordering::SeqCst) == 0;
            yield_once().await;
            if calm {
                return;
            }
        }
    }

    fn batcher<K: Load>(&self) -> Arc<Batcher<K>> {
        let known = self.batchers.read().unwrap_or_else(PoisonError::into_inner).get(&TypeId::of::<K>()).cloned();
        let any = known.unwrap_or_else(|| {
            let mut batchers = self.batchers.write().unwrap_or_else(PoisonError::into_inner);
            batchers.entry(TypeId::of::<K>()).or_insert_with(|| Arc::new(Batcher::<K>::new(&self.app))).clone()
        });
        // The map holds a `Batcher<K>` under the type id of `K`, so the downcast never fails.
        any.downcast().unwrap_or_else(|_| Arc::new(Batcher::new(&self.app)))
    }
}

/// Batches the keys of one type.
///
/// One batch is in flight at a time while the next one grows, so that batches are large under load. Compared to two or
/// four batches in flight, this saves PostgreSQL a sixth of the work at 16 clients.
struct Batcher<K: Load> {
    queue: Mutex<Queue<K>>,
    cache: Option<RowCache<K, K::Value>>,
    /// The [`Load::ALONE`] statements in flight, each with its start in the sequence of changes.
    alone: Mutex<Alone<K>>,
}

type Alone<K> = HashMap<K, (db::Instant, Arc<Batch<K>>)>;

struct Queue<K: Load> {
    /// The batch that new keys join.
    next: Arc<Batch<K>>,
    /// The keys of the next batch so far.
    keys: HashSet<K>,
    /// Whether the next batch can be sent: a load has yielded to its siblings.
    due: bool,
    /// Whether a batch is in flight.
    busy: bool,
}

impl<K: Load> Batcher<K> {
    fn new(app: &App) -> Batcher<K> {
        let queue = Queue { next: Arc::default(), keys: HashSet::new(), due: false, busy: false };
        Batcher {
            queue: Mutex::new(queue),
            cache: (K::CACHED && app.config.row_cache).then(|| RowCache::new(app.db.invalidation().clone())),
            alone: Mutex::default(),
        }
    }

    fn cached(&self, key: &K) -> Option<Option<K::Value>> {
        self.cache.as_ref()?.get(key)
    }

    /// Returns the statement in flight for `key`, unless any key has changed since it was sent.
    fn running(&self, app: &App, key: &K) -> Option<Arc<Batch<K>>> {
        let alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, batch) = alone.get(key)?;
        (*since == app.db.invalidation().now()).then(|| batch.clone())
    }

    /// Sends the statement for `key` in a separate task.
    ///
    /// Other requests may wait for it, too.
    fn run(self: &Arc<Self>, app: &App, key: &K, permit: OwnedSemaphorePermit) -> Arc<Batch<K>> {
        let batch: Arc<Batch<K>> = Arc::default();
        let entry = (app.db.invalidation().now(), batch.clone());
        self.alone.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), entry);
        let (batcher, reader, key, running) = (self.clone(), app.clone(), key.clone(), batch.clone());
        let sending = async move {
            running.answer(batcher.answer(&reader, vec![key.clone()]).await);
            let mut alone = batcher.alone.lock().unwrap_or_else(PoisonError::into_inner);
            if alone.get(&key).is_some_and(|(_, batch)| Arc::ptr_eq(batch, &running)) {
                alone.remove(&key);
            }
            drop(permit);
        };
        app.tasks.spawn(sending.boxed());
        batch
    }

    /// Adds a key to the next batch.
    fn join(&self, key: &K) -> Arc<Batch<K>> {
        let mut queue = self.lock();
        queue.keys.insert(key.clone());
        queue.next.clone()
    }

    /// Sends `batch`, unless a sibling has done so already.
    ///
    /// If another batch is in flight, its task sends this one afterwards.
    fn start(self: &Arc<Self>, app: &App, waking: &Arc<AtomicUsize>, batch: &Arc<Batch<K>>) {
        let mut queue = self.lock();
        if !Arc::ptr_eq(&queue.next, batch) {
            return;
        }
        queue.due = true;
        if queue.busy {
            return;
        }
        queue.busy = true;
        drop(queue);
        let (batcher, reader, waking) = (self.clone(), app.clone(), waking.clone());
        // A separate task, because the request that started the batch may be dropped while others still wait.
        // Boxed, because a separate task type for each key type compiles to about a hundred more functions each.
        let sending = async move {
            while let Some((batch, keys)) = batcher.take() {
                let answer = batcher.answer(&reader, keys).await;
                waking.fetch_add(1, Ordering::SeqCst);
                batch.answer(answer);
                waking.fetch_sub(1, Ordering::SeqCst);
            }
        };
        app.tasks.spawn(sending.boxed());
    }

    /// Takes the next batch with its keys if it is due; otherwise clears `busy`.
    ///
    /// Both happen under one lock, so that a later [`Batcher::start`] either finds a task that will take its batch or
    /// spawns a new one.
    fn take(self: &Arc<Self>) -> Option<(Arc<Batch<K>>, Vec<K>)> {
        let mut queue = self.lock();
        if !std::mem::take(&mut queue.due) {
            queue.busy = false;
            return None;
        }
        let keys = queue.keys.drain().collect();
        Some((std::mem::take(&mut queue.next), keys))
    }

    /// Loads a batch, and turns a panic or a timeout into an error.
    ///
    /// The waiters therefore always receive a result.
    async fn answer(&self, app: &App, keys: Vec<K>) -> Result<HashMap<K, K::Value>, InternalError> {
        let loading = AssertUnwindSafe(self.load(app, keys)).catch_unwind();
        match tokio::time::timeout(app.config.limits.timeout + GRACE, loading).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(InternalError::new("a batched load panicked")),
            Err(_) => Err(InternalError::timeout("a batched load took too long")),
        }
    }

    /// Loads a batch and caches its values if [`Load::CACHED`] is set.
    async fn load(&self, app: &App, keys: Vec<K>) -> Result<HashMap<K, K::Value>, InternalError> {
        let cache = self.cache.as_ref().map(|cache| (cache, cache.start()));
        let values = load(app, &keys).await?;
        if let Some((cache, start)) = cache {
            for key in keys.into_iter().filter(Load::may_be_cached) {
                let value = values.get(&key).cloned();
                let rows = value.as_ref().map_or(1, K::rows);
                let depends_on = key.depends_on(value.as_ref()).into_boxed_slice();
                cache.put(key, value, rows, depends_on, start);
            }
        }
        Ok(values)
    }

    fn lock(&self) -> MutexGuard<'_, Queue<K>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The shared result of a batch.
///
/// All keys resolve at once, so that a level of a query continues together.
struct Batch<K: Load> {
    answer: OnceLock<Result<HashMap<K, K::Value>, InternalError>>,
    answered: Notify,
}

impl<K: Load> Default for Batch<K> {
    fn default() -> Self {
        Batch { answer: OnceLock::new(), answered: Notify::new() }
    }
}

impl<K: Load> Batch<K> {
    async fn value(&self, key: &K) -> Result<Option<K::Value>, InternalError> {
        loop {
            // Created before the check, so that a notification after the check is not missed.
            let answered = self.answered.notified();
            match self.answer.get() {
                Some(Ok(values)) => return Ok(values.get(key).cloned()),
                Some(Err(error)) => return Err(error.copy()),
                None => answered.await,
            }
        }
    }

    fn answer(&self, answer: Result<HashMap<K, K::Value>, InternalError>) {
        // It is set only once: its task has taken the batch out of the queue.
        drop(self.answer.set(answer));
        self.answered.notify_waiters();
    }
}

async fn load<K: Load>(app: &App, keys: &[K]) -> Result<HashMap<K, K::Value>, InternalError> {
    let mut values = HashMap::with_capacity(keys.len());
    for keys in keys.chunks(STATEMENT_KEYS) {
        values.extend(K::load(app, keys).await?);
    }
    Ok(values)
}

/// Yields once, so that other ready tasks and futures run first.
async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
