//! Batched loads without a registry and without a timer.
//!
//! A feature implements [`Load`] for a key of its own in its `loader.rs`; a resolver asks for one key at a time and
//! the keys of a level become one statement. Rows that do not depend on the viewer are loaded across requests: while
//! a batch is on its way, the keys of all requests gather for the next. A key never joins a batch that has already
//! been sent, so a client reads its own writes.
//!
//! No timer: a load gives way, so that its siblings can ask too, and then sends the batch. Measured with
//! `make bench-loaders` (20 keys, release build, no database behind): see `docs/measurements.md`.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::future::poll_fn;
use std::hash::Hash;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::task::Poll;

use futures_util::FutureExt;
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
    /// Batches whose answers are being handed out, of whatever key.
    delivering: Arc<AtomicUsize>,
}

impl Loaders {
    /// Loaders that read through `app`.
    pub fn new(app: App) -> Loaders {
        Loaders { app, batchers: RwLock::default(), delivering: Arc::default() }
    }

    /// The value of `key`, loaded together with others; `None` if there is none.
    ///
    /// # Errors
    /// The batch failed.
    pub async fn load<K: Load>(&self, key: K) -> Result<Option<K::Value>, Fault> {
        let batcher = self.batcher::<K>();
        let (gathering, answer) = batcher.enqueue(key);
        self.let_others_ask().await;
        batcher.start(&self.app, gathering);
        match answer.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(fault)) => Err(Fault::new(fault.report())),
            Err(_) => Err(Fault::new("a batched load was dropped")),
        }
    }

    /// Lets everything else that is ready run first. While the answers of the previous level are being handed out on
    /// another thread, more is about to get ready.
    async fn let_others_ask(&self) {
        loop {
            let calm = self.delivering.load(Ordering::SeqCst) == 0;
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
            batchers.entry(TypeId::of::<K>()).or_insert_with(|| self.new_batcher::<K>()).clone()
        });
        // The map holds a `Batcher<K>` under the id of `K`, so the second arm is never taken.
        any.downcast().unwrap_or_else(|_| self.new_batcher())
    }

    fn new_batcher<K: Load>(&self) -> Arc<Batcher<K>> {
        let queue = Mutex::new(Queue { waiting: HashMap::new(), running: 0, sent: 0, due: false });
        Arc::new(Batcher { queue, delivering: self.delivering.clone() })
    }
}

type Answer<V> = Result<Option<V>, Arc<Fault>>;

struct Batcher<K: Load> {
    queue: Mutex<Queue<K>>,
    delivering: Arc<AtomicUsize>,
}

struct Queue<K: Load> {
    waiting: HashMap<K, Vec<oneshot::Sender<Answer<K::Value>>>>,
    running: usize,
    /// How many batches were sent.
    sent: u64,
    /// Whether a batch should have been sent and found no place.
    due: bool,
}

impl<K: Load> Batcher<K> {
    /// Also tells which batch gathers at the moment.
    fn enqueue(&self, key: K) -> (u64, oneshot::Receiver<Answer<K::Value>>) {
        let (sender, receiver) = oneshot::channel();
        let mut queue = self.lock();
        queue.waiting.entry(key).or_default().push(sender);
        (queue.sent, receiver)
    }

    /// Sends the batch `gathering`, unless a sibling has done so: the keys of the next one have siblings of their own.
    /// If enough batches are on their way, the next one that returns takes the keys along.
    fn start(self: &Arc<Self>, app: &App, gathering: u64) {
        let mut queue = self.lock();
        if queue.waiting.is_empty() || (queue.sent != gathering && !queue.due) {
            return;
        }
        if queue.running >= BATCHES {
            queue.due = true;
            return;
        }
        queue.running += 1;
        let mut batch = queue.take();
        drop(queue);
        let (batcher, app) = (self.clone(), app.clone());
        // A task of its own: the request that started the batch may be dropped, the others still wait.
        app.clone().tasks.spawn(async move {
            loop {
                // A panic is an error for those who wait for this batch, as their senders are gone; not for the next.
                drop(AssertUnwindSafe(batcher.run(&app, batch)).catch_unwind().await);
                match batcher.next() {
                    Some(next) => batch = next,
                    None => break,
                }
            }
        });
    }

    /// The next batch for a place that has become free, if one is due: keys that were asked for just now wait for
    /// their siblings, and who asked for them will start their batch. The place is given back under the same lock, so
    /// that whoever starts later finds either a batch that will take the keys along or a free place.
    fn next(&self) -> Option<Batch<K>> {
        let mut queue = self.lock();
        if !queue.due {
            queue.running -= 1;
            return None;
        }
        Some(queue.take())
    }

    async fn run(&self, app: &App, batch: Batch<K>) {
        let keys: Vec<K> = batch.keys().cloned().collect();
        let loaded = K::load(app, &keys).await.map_err(Arc::new);
        let _delivery = Delivery::new(&self.delivering);
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

    fn lock(&self) -> MutexGuard<'_, Queue<K>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts while it lives.
struct Delivery<'a>(&'a AtomicUsize);

impl Delivery<'_> {
    fn new(delivering: &AtomicUsize) -> Delivery<'_> {
        delivering.fetch_add(1, Ordering::SeqCst);
        Delivery(delivering)
    }
}

impl Drop for Delivery<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

type Batch<K> = HashMap<K, Vec<oneshot::Sender<Answer<<K as Load>::Value>>>>;

impl<K: Load> Queue<K> {
    /// What is left over is due: those who asked for it may have had their turn.
    fn take(&mut self) -> Batch<K> {
        let batch = if self.waiting.len() <= BATCH_KEYS {
            std::mem::take(&mut self.waiting)
        } else {
            let keys: Vec<K> = self.waiting.keys().take(BATCH_KEYS).cloned().collect();
            keys.into_iter().filter_map(|key| self.waiting.remove_entry(&key)).collect()
        };
        self.sent += 1;
        self.due = !self.waiting.is_empty();
        batch
    }
}

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
