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

mod batch;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::future::poll_fn;
use std::hash::Hash;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use self::batch::{Alone, Answer, Found, Queue, value_of};
use super::row_cache::{RowCache, Start};
use crate::platform::App;
use crate::platform::db::CacheKey;
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
///
/// What a key type needs is made when it is first loaded, and kept apart by kind: whatever is generic is compiled some two
/// hundred times. Therefore a key type has only the kinds that it needs, and there is no collection or combinator of its
/// own where one of all types serves (`docs/measurements.md`).
pub struct Loaders {
    reader: Arc<Reader>,
    queues: ByType,
    alone: ByType,
    /// Limits the number of [`Load::ALONE`] statements in flight.
    searches: Arc<Semaphore>,
    /// The [`Load::ALONE`] reads in flight, by client.
    shares: Shares,
}

impl Loaders {
    /// Creates loaders that read through `app`.
    pub fn new(app: App) -> Loaders {
        Loaders {
            searches: Arc::new(Semaphore::new(app.config.searches)),
            shares: Shares::new(CLIENT_SEARCHES),
            queues: ByType::default(),
            alone: ByType::default(),
            reader: Arc::new(Reader { app, caches: ByType::default(), waking: AtomicUsize::default() }),
        }
    }

    /// Returns the application that the loaders read through.
    pub fn app(&self) -> &App {
        &self.reader.app
    }

    /// Loads the value of `key` in a batch with other keys; returns `None` if there is none.
    ///
    /// # Errors
    /// The batch failed.
    pub async fn load<K: Load>(&self, key: K) -> Result<Option<K::Value>, InternalError> {
        if !key.is_valid() {
            return Ok(None);
        }
        if let Some(cached) = self.reader.cached(&key) {
            return Ok(cached);
        }
        self.read(key).await
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

    /// Loads the value of a key that is not cached.
    fn read<K: Load>(&self, key: K) -> BoxFuture<'_, Result<Option<K::Value>, InternalError>> {
        // An async function would be compiled with both futures, this one only with that of the branch.
        if K::ALONE { self.read_alone(key).boxed() } else { self.read_in_batch(key).boxed() }
    }

    async fn read_in_batch<K: Load>(&self, key: K) -> Result<Option<K::Value>, InternalError> {
        let queue = self.queues.get(Queue::<K>::default);
        let batch = queue.join(&key);
        self.let_siblings_ask().await;
        queue.start(&self.reader, &batch);
        batch.value(&key).await
    }

    /// Loads the value of a key that takes its own statement.
    async fn read_alone<K: Load>(&self, key: K) -> Result<Option<K::Value>, InternalError> {
        let alone = self.alone.get(Alone::<K>::default);
        if let Some(running) = alone.running(self.app(), &key) {
            return running.value(&key).await;
        }
        // While it waits here, the load is canceled if its request is dropped.
        let permit = self.searches.clone().acquire_owned().await?;
        if let Some(cached) = self.reader.cached(&key) {
            return Ok(cached);
        }
        let batch = match alone.running(self.app(), &key) {
            Some(running) => running,
            None => alone.run(&self.reader, &key, permit),
        };
        batch.value(&key).await
    }

    /// Yields, so that siblings that are ready can add their keys to the batch.
    ///
    /// While the waiters of another batch are being woken, on another thread, it yields again: more siblings are about
    /// to become ready, and the keys of one level of a query belong in one batch.
    async fn let_siblings_ask(&self) {
        loop {
            let calm = self.reader.waking.load(Ordering::SeqCst) == 0;
            yield_once().await;
            if calm {
                return;
            }
        }
    }
}

/// What the tasks of batches need.
struct Reader {
    app: App,
    caches: ByType,
    /// The number of batches, of any key type, whose waiters are being woken.
    waking: AtomicUsize,
}

impl Reader {
    /// Returns the cached value of `key`; `None` if nothing is cached.
    fn cached<K: Load>(&self, key: &K) -> Option<Option<K::Value>> {
        if K::CACHED && self.app.config.row_cache { self.cache().get(key) } else { None }
    }

    /// Caches what a batch has found that began at `start`, if [`Load::CACHED`] is set.
    fn put<K: Load>(&self, keys: Vec<K>, found: &Found<K>, start: Start) {
        if !K::CACHED || !self.app.config.row_cache {
            return;
        }
        let cache = self.cache::<K>();
        for key in keys.into_iter().filter(Load::may_be_cached) {
            let value = value_of(found, &key);
            let rows = value.as_ref().map_or(1, K::rows);
            let depends_on = key.depends_on(value.as_ref()).into_boxed_slice();
            cache.put(key, value, rows, depends_on, start);
        }
    }

    fn cache<K: Load>(&self) -> Arc<RowCache<K, K::Value>> {
        self.caches.get(|| RowCache::new(self.app.db.invalidation().clone()))
    }

    /// Loads a batch, caches its values, and turns a panic or a timeout into an error.
    ///
    /// The waiters therefore always receive a result.
    async fn answer<K: Load>(&self, keys: Vec<K>) -> Answer<K> {
        let mut answer = Ok(Vec::new());
        // The result is handed over, not returned, so that all key types share one type of future.
        let loading = async {
            let start = Start::now(self.app.db.invalidation());
            answer = load(&self.app, &keys).await;
            if let Ok(found) = &answer {
                self.put(keys, found, start);
            }
        };
        guarded(&self.app, loading.boxed()).await?;
        answer
    }
}

/// One object of each type, made when it is first asked for.
#[derive(Default)]
struct ByType(RwLock<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl ByType {
    fn get<T: Any + Send + Sync>(&self, make: impl Fn() -> T) -> Arc<T> {
        let any = match self.known(TypeId::of::<T>()) {
            Some(known) => known,
            None => self.added(TypeId::of::<T>(), Arc::new(make())),
        };
        // The map holds a `T` under the type id of `T`, so the downcast never fails.
        any.downcast().unwrap_or_else(|_| Arc::new(make()))
    }

    fn known(&self, id: TypeId) -> Option<Arc<dyn Any + Send + Sync>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// Adds `new`, unless another thread has just done so.
    fn added(&self, id: TypeId, new: Arc<dyn Any + Send + Sync>) -> Arc<dyn Any + Send + Sync> {
        self.0.write().unwrap_or_else(PoisonError::into_inner).entry(id).or_insert(new).clone()
    }
}

async fn load<K: Load>(app: &App, keys: &[K]) -> Answer<K> {
    let mut found = Vec::with_capacity(1);
    for keys in keys.chunks(STATEMENT_KEYS) {
        found.push(K::load(app, keys).await?);
    }
    Ok(found)
}

/// Ends `loading` with an error if it panics or takes too long.
async fn guarded(app: &App, loading: BoxFuture<'_, ()>) -> Result<(), InternalError> {
    match tokio::time::timeout(app.config.limits.timeout + GRACE, AssertUnwindSafe(loading).catch_unwind()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(InternalError::new("a batched load panicked")),
        Err(_) => Err(InternalError::timeout("a batched load took too long")),
    }
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
