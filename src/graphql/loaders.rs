//! Batched loads without a registry and without a timer.
//!
//! A feature implements [`Load`] for a key of its own in its `loader.rs`; a resolver asks for one key at a time and the
//! keys of a level become one statement. **Which loader a value takes:** rows that are the same for every viewer are
//! loaded here, across requests: while a batch is in flight, the keys of all requests gather for the next one, and values
//! whose changes are known are cached for a second (`row_cache.rs`). Reads of which each is a statement of its own, as
//! searches and filtered lists are ([`Load::ALONE`]), do not wait for each other: a bounded number of them is in flight,
//! each on a connection of its own. Values that depend on the viewer are loaded by
//! [`ViewerLoaders`](super::viewer_loaders::ViewerLoaders), one loader per request, so that nobody else can see them. A
//! key never joins a statement that was sent before something has changed, so a client reads its own writes.
//!
//! No timer: a load yields once, so that its siblings can ask too, and then sends the batch. Measured with
//! `make bench-loaders` (20 keys, release build, no database behind): see `docs/measurements.md`.

use std::any::{Any, TypeId};
use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::hash::Hash;
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

/// Keys in one statement; a larger batch is several.
const STATEMENT_KEYS: usize = 1000;
/// How long a batch may take: longer than the database lets a statement run, so that only a dead link gets here.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A key that can be loaded in batches.
pub trait Load: Clone + Eq + Hash + Send + Sync + 'static {
    /// What it stands for.
    type Value: Clone + Send + Sync + 'static;

    /// Whether values may be cached for a second, on this node, and be stale for as long where another node wrote.
    const CACHED: bool = false;

    /// Whether each key is a statement of its own, so that a batch would only make them wait for each other.
    const ALONE: bool = false;

    /// Whether there can be a value at all. A key that PostgreSQL would reject must not fail those that it is batched
    /// with; it has no value.
    fn is_valid(&self) -> bool {
        true
    }

    /// What a cached value, or its absence, is derived from: it is stale once one of these has changed.
    fn depends_on(&self, _value: Option<&Self::Value>) -> Vec<CacheKey> {
        Vec::new()
    }

    /// How many rows, or texts of a row's size, the value holds: what is kept is bounded by their number.
    fn rows(_value: &Self::Value) -> usize {
        1
    }

    /// Loads `keys` at once; a key without a value is missing in the answer.
    fn load(app: &App, keys: &[Self])
    -> impl Future<Output = Result<HashMap<Self, Self::Value>, InternalError>> + Send;
}

/// All loaders of a process.
pub struct Loaders {
    app: App,
    batchers: RwLock<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    /// Batches, of whatever key, whose waiters are being woken.
    waking: Arc<AtomicUsize>,
    /// One permit for each statement of [`Load::ALONE`] that may be in flight.
    searches: Arc<Semaphore>,
}

impl Loaders {
    /// Loaders that read through `app`.
    pub fn new(app: App) -> Loaders {
        let searches = Arc::new(Semaphore::new(app.config.searches));
        Loaders { app, batchers: RwLock::default(), waking: Arc::default(), searches }
    }

    /// What they read through.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The value of `key`, loaded together with others; `None` if there is none.
    ///
    /// # Errors
    /// The batch failed.
    pub async fn load<K: Load>(&self, key: K) -> Result<Option<K::Value>, InternalError> {
        if !key.is_valid() {
            return Ok(None);
        }
        let batcher = self.batcher::<K>();
        if K::ALONE {
            return self.load_alone(&batcher, key).await;
        }
        if let Some(cached) = batcher.cached(&key) {
            return Ok(cached);
        }
        let batch = batcher.join(&key);
        self.let_siblings_ask().await;
        batcher.start(&self.app, &self.waking, &batch);
        batch.value(&key).await
    }

    /// The value of a key that is a statement of its own.
    async fn load_alone<K: Load>(&self, batcher: &Arc<Batcher<K>>, key: K) -> Result<Option<K::Value>, InternalError> {
        if let Some(cached) = batcher.cached(&key) {
            return Ok(cached);
        }
        if let Some(running) = batcher.running(&self.app, &key) {
            return running.value(&key).await;
        }
        // Dropped with its request while it waits.
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

    /// Lets everything else that is ready run first. While the waiters of another batch are being woken, on another
    /// thread, more is about to get ready: a level of a query goes on together.
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
        // The map holds a `Batcher<K>` under the id of `K`, so the second arm is never taken.
        any.downcast().unwrap_or_else(|_| Arc::new(Batcher::new(&self.app)))
    }
}

/// The keys of one kind. One batch is on its way at a time: the next one grows meanwhile, so that batches are large
/// when it matters (measured against two and four: a sixth less work for PostgreSQL at 16 clients).
struct Batcher<K: Load> {
    queue: Mutex<Queue<K>>,
    cache: Option<RowCache<K, K::Value>>,
    /// The statements of [`Load::ALONE`] in flight, and when each began.
    alone: Mutex<Alone<K>>,
}

type Alone<K> = HashMap<K, (db::Instant, Arc<Batch<K>>)>;

struct Queue<K: Load> {
    /// The batch that keys join.
    next: Arc<Batch<K>>,
    /// Its keys so far.
    keys: HashSet<K>,
    /// Whether it should be sent: those who asked for its keys have let their siblings ask.
    due: bool,
    /// Whether a batch is on its way.
    busy: bool,
}

impl<K: Load> Batcher<K> {
    fn new(app: &App) -> Batcher<K> {
        let queue = Queue { next: Arc::default(), keys: HashSet::new(), due: false, busy: false };
        Batcher {
            queue: Mutex::new(queue),
            cache: K::CACHED.then(|| RowCache::new(app.db.invalidation().clone())),
            alone: Mutex::default(),
        }
    }

    fn cached(&self, key: &K) -> Option<Option<K::Value>> {
        self.cache.as_ref()?.get(key)
    }

    /// The statement in flight for `key`, if nothing at all has changed since it was sent.
    fn running(&self, app: &App, key: &K) -> Option<Arc<Batch<K>>> {
        let alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, batch) = alone.get(key)?;
        (*since == app.db.invalidation().now()).then(|| batch.clone())
    }

    /// Sends the statement for `key`. In a task of its own: others may wait for it, too.
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

    /// Sends `batch`, unless a sibling has done so: the keys that come after it have siblings of their own. If one is on
    /// its way, that one's task will send it when it is done.
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
        // A task of its own: the request that started the batch may be dropped, the others still wait.
        // Boxed: a kind of task for each kind of key is a hundred functions more, each time.
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

    /// The next batch with its keys, if it is due; or gives the turn back, under the same lock, so that whoever starts
    /// later finds either a task that takes the batch along or a free turn.
    fn take(self: &Arc<Self>) -> Option<(Arc<Batch<K>>, Vec<K>)> {
        let mut queue = self.lock();
        if !std::mem::take(&mut queue.due) {
            queue.busy = false;
            return None;
        }
        let keys = queue.keys.drain().collect();
        Some((std::mem::take(&mut queue.next), keys))
    }

    /// Loads a batch. There is an answer whatever happens: somebody waits for it.
    async fn answer(&self, app: &App, keys: Vec<K>) -> Result<HashMap<K, K::Value>, InternalError> {
        let loading = AssertUnwindSafe(self.load(app, keys)).catch_unwind();
        match tokio::time::timeout(TIMEOUT, loading).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(InternalError::new("a batched load panicked")),
            Err(_) => Err(InternalError::new("a batched load took too long")),
        }
    }

    /// Loads a batch, and caches what it finds if it may.
    async fn load(&self, app: &App, keys: Vec<K>) -> Result<HashMap<K, K::Value>, InternalError> {
        let cache = self.cache.as_ref().map(|cache| (cache, cache.start()));
        let values = load(app, &keys).await?;
        if let Some((cache, start)) = cache {
            for key in keys {
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

/// What all the keys of a batch wait for: one answer, so that a level of a query goes on at once and not key by key.
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
            // Before the look: it hears what happens from here on.
            let answered = self.answered.notified();
            match self.answer.get() {
                Some(Ok(values)) => return Ok(values.get(key).cloned()),
                Some(Err(error)) => return Err(InternalError::new(error.report())),
                None => answered.await,
            }
        }
    }

    fn answer(&self, answer: Result<HashMap<K, K::Value>, InternalError>) {
        // There is only one: its task has taken the batch out of the queue.
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

/// Lets everything else that is ready run first.
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
