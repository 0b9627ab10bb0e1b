//! Batched loads without a registry and without a timer.
//!
//! A feature implements [`Load`] for a key of its own in its `loader.rs`; a resolver asks for one key at a time and
//! the keys of a level become one statement. Rows that do not depend on the viewer are loaded across requests: while
//! a batch is on its way, the keys of all requests gather for the next. A key never joins a batch that has already
//! been sent, so a client reads its own writes.
//!
//! No timer: a load gives way once, so that its siblings can ask too, and then sends the batch. Measured with
//! `make bench-loaders` (20 keys, release build, no database behind): see `docs/measurements.md`.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::future::poll_fn;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::task::Poll;

use tokio::sync::oneshot;

use crate::platform::App;
use crate::platform::fault::Fault;

/// Batches of one kind of key on their way at the same time. Few, so that batches are large when it matters.
const BATCHES: usize = 2;
/// Keys in one batch.
const BATCH_KEYS: usize = 1000;

/// A key that can be loaded in batches.
pub trait Load: Clone + Eq + Hash + Send + Sync + 'static {
    /// What it stands for.
    type Value: Clone + Send + Sync + 'static;

    /// Loads `keys` at once; a key without a value is missing in the answer.
    fn load(app: &App, keys: &[Self]) -> impl Future<Output = Result<HashMap<Self, Self::Value>, Fault>> + Send;
}

/// All loaders of a process.
pub struct Loaders {
    app: App,
    batchers: RwLock<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Loaders {
    /// Loaders that read through `app`.
    pub fn new(app: App) -> Loaders {
        Loaders { app, batchers: RwLock::default() }
    }

    /// The value of `key`, loaded together with others; `None` if there is none.
    ///
    /// # Errors
    /// The batch failed.
    pub async fn load<K: Load>(&self, key: K) -> Result<Option<K::Value>, Fault> {
        let batcher = self.batcher::<K>();
        let answer = batcher.enqueue(key);
        yield_once().await;
        batcher.start(&self.app);
        match answer.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(fault)) => Err(Fault::new(fault.report())),
            Err(_) => Err(Fault::new("a batched load was dropped")),
        }
    }

    fn batcher<K: Load>(&self) -> Arc<Batcher<K>> {
        let known = self.batchers.read().unwrap_or_else(PoisonError::into_inner).get(&TypeId::of::<K>()).cloned();
        let any = known.unwrap_or_else(|| {
            let mut batchers = self.batchers.write().unwrap_or_else(PoisonError::into_inner);
            batchers.entry(TypeId::of::<K>()).or_insert_with(|| Arc::new(Batcher::<K>::default())).clone()
        });
        // The map holds a `Batcher<K>` under the id of `K`, so the second arm is never taken.
        any.downcast().unwrap_or_default()
    }
}

type Answer<V> = Result<Option<V>, Arc<Fault>>;

struct Batcher<K: Load> {
    queue: Mutex<Queue<K>>,
}

struct Queue<K: Load> {
    waiting: HashMap<K, Vec<oneshot::Sender<Answer<K::Value>>>>,
    running: usize,
}

impl<K: Load> Default for Batcher<K> {
    fn default() -> Self {
        Batcher { queue: Mutex::new(Queue { waiting: HashMap::new(), running: 0 }) }
    }
}

impl<K: Load> Batcher<K> {
    fn enqueue(&self, key: K) -> oneshot::Receiver<Answer<K::Value>> {
        let (sender, receiver) = oneshot::channel();
        self.lock().waiting.entry(key).or_default().push(sender);
        receiver
    }

    /// Sends the waiting keys, unless enough batches are on their way: the next one that returns takes them along.
    fn start(self: &Arc<Self>, app: &App) {
        let mut queue = self.lock();
        if queue.waiting.is_empty() || queue.running >= BATCHES {
            return;
        }
        queue.running += 1;
        let first = queue.take();
        drop(queue);
        let (batcher, app) = (self.clone(), app.clone());
        // A task of its own: the request that started the batch may be dropped, the others still wait.
        app.clone().tasks.spawn(async move {
            let mut place = Place { batcher: &batcher, held: true };
            let mut batch = first;
            loop {
                run(&app, batch).await;
                match place.next() {
                    Some(next) => batch = next,
                    None => break,
                }
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, Queue<K>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of the [`BATCHES`] places. Given back under the same lock that finds the queue empty, so that a key that
/// comes later always finds either a batch that will take it along or a free place.
struct Place<'a, K: Load> {
    batcher: &'a Batcher<K>,
    held: bool,
}

impl<K: Load> Place<'_, K> {
    fn next(&mut self) -> Option<Batch<K>> {
        let mut queue = self.batcher.lock();
        let batch = queue.take();
        if batch.is_empty() {
            queue.running -= 1;
            self.held = false;
            return None;
        }
        Some(batch)
    }
}

impl<K: Load> Drop for Place<'_, K> {
    fn drop(&mut self) {
        // Only when the load panicked: its own keys' senders are gone and their requests get an error.
        if self.held {
            self.batcher.lock().running -= 1;
        }
    }
}

type Batch<K> = HashMap<K, Vec<oneshot::Sender<Answer<<K as Load>::Value>>>>;

impl<K: Load> Queue<K> {
    fn take(&mut self) -> Batch<K> {
        if self.waiting.len() <= BATCH_KEYS {
            return std::mem::take(&mut self.waiting);
        }
        let keys: Vec<K> = self.waiting.keys().take(BATCH_KEYS).cloned().collect();
        keys.into_iter().filter_map(|key| self.waiting.remove_entry(&key)).collect()
    }
}

async fn run<K: Load>(app: &App, batch: Batch<K>) {
    let keys: Vec<K> = batch.keys().cloned().collect();
    let loaded = K::load(app, &keys).await.map_err(Arc::new);
    for (key, waiting) in batch {
        for sender in waiting {
            let answer = match &loaded {
                Ok(values) => Ok(values.get(&key).cloned()),
                Err(fault) => Err(fault.clone()),
            };
            // Whoever does not wait any more does not need it.
            drop(sender.send(answer));
        }
    }
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
