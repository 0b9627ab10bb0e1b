//! Batched loads: what is asked for together is loaded together, and nobody's misfortune is another's.

mod alone;
mod viewer;

use std::collections::HashMap;
use std::future::poll_fn;
use std::hash::{Hash, Hasher};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use async_graphql::{Context, EmptyMutation, EmptySubscription, Object, Request, Schema};
use futures_util::future::join_all;
use lyceum::graphql::Sequential;
use lyceum::graphql::loaders::{Load, Loaders};
use lyceum::platform::App;
use lyceum::platform::db::CacheKey;
use lyceum::platform::internal_error::InternalError;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::support::TestApp;
use crate::support::eventually;

/// A table of which every key's value is the same number, and what happens to those who read it.
struct Table {
    value: AtomicU32,
    /// The keys of each batch in the order in which they were sent.
    batches: Mutex<Vec<Vec<u32>>>,
    /// How many requests have asked.
    asked: AtomicUsize,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
    /// A permit for each batch that may return.
    gate: Semaphore,
    fails: AtomicBool,
    panics: AtomicBool,
}

impl Table {
    fn open() -> Arc<Table> {
        Table::gated(Semaphore::MAX_PERMITS)
    }

    fn gated(permits: usize) -> Arc<Table> {
        Arc::new(Table {
            value: AtomicU32::new(1),
            batches: Mutex::default(),
            asked: AtomicUsize::new(0),
            under_way: AtomicUsize::new(0),
            most_under_way: AtomicUsize::new(0),
            gate: Semaphore::new(permits),
            fails: AtomicBool::new(false),
            panics: AtomicBool::new(false),
        })
    }

    fn key(self: &Arc<Table>, id: u32) -> Key {
        Key { id, table: self.clone() }
    }

    fn batches(&self) -> Vec<Vec<u32>> {
        self.batches.lock().unwrap().clone()
    }
}

#[derive(Clone)]
struct Key {
    id: u32,
    table: Arc<Table>,
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.id == other.id
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

/// Keys from here on have no value.
const MISSING: u32 = 1_000_000;

impl Load for Key {
    type Value = (u32, u32);

    async fn load(_: &App, keys: &[Key]) -> Result<HashMap<Key, (u32, u32)>, InternalError> {
        let table = &keys[0].table;
        let mut ids: Vec<u32> = keys.iter().map(|key| key.id).collect();
        ids.sort_unstable();
        table.batches.lock().unwrap().push(ids);
        let under_way = table.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        table.most_under_way.fetch_max(under_way, Ordering::SeqCst);
        // What a statement reads is fixed when it is sent.
        let value = table.value.load(Ordering::SeqCst);
        table.gate.acquire().await.unwrap().forget();
        table.under_way.fetch_sub(1, Ordering::SeqCst);
        assert!(!table.panics.load(Ordering::SeqCst), "as the test wants it");
        if table.fails.load(Ordering::SeqCst) {
            return Err(InternalError::new("the table is on fire"));
        }
        Ok(keys.iter().filter(|key| key.id < MISSING).map(|key| (key.clone(), (key.id, value))).collect())
    }
}

async fn loaders() -> (TestApp, Arc<Loaders>) {
    let app = TestApp::start().await;
    let loaders = Arc::new(Loaders::new(app.app.clone()));
    (app, loaders)
}

type Loaded = Result<Option<(u32, u32)>, InternalError>;

/// A request of its own that loads one key.
fn request(loaders: &Arc<Loaders>, key: Key) -> JoinHandle<Loaded> {
    let loaders = loaders.clone();
    tokio::spawn(async move {
        let table = key.table.clone();
        let mut load = pin!(loaders.load(key));
        polled(load.as_mut(), 1).await;
        table.asked.fetch_add(1, Ordering::SeqCst);
        load.await
    })
}

/// Polls a load once, so that it waits, or twice, so that its batch is sent.
async fn polled(mut load: Pin<&mut impl Future<Output = Loaded>>, times: usize) {
    poll_fn(|context| {
        for _ in 0..times {
            assert!(load.as_mut().poll(context).is_pending());
        }
        Poll::Ready(())
    })
    .await;
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), future).await.expect("it is never answered")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_request_asks_for_at_once_is_one_batch_with_each_key_once() {
    let (_app, loaders) = loaders().await;
    for count in [1, 20, 100] {
        let table = Table::open();
        let keys = (0..count).chain(0..count).chain([MISSING]);
        let answers = within(join_all(keys.map(|id| loaders.load(table.key(id))))).await;
        let expected: Vec<u32> = (0..count).chain([MISSING]).collect();
        assert_eq!(table.batches(), [expected]);
        let answers: Vec<Option<(u32, u32)>> = answers.into_iter().map(Result::unwrap).collect();
        let once = (0..count).map(|id| Some((id, 1)));
        assert_eq!(answers, once.clone().chain(once).chain([None]).collect::<Vec<_>>());
    }
}

struct Row(u32);

#[Object]
impl Row {
    async fn value(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<u32>> {
        load(ctx, self.0).await
    }

    async fn next(&self, ctx: &Context<'_>) -> async_graphql::Result<Sequential<Row>> {
        load(ctx, self.0 + 1000).await?;
        Ok(Sequential(Row(self.0 + 2000)))
    }
}

async fn load(ctx: &Context<'_>, id: u32) -> async_graphql::Result<Option<u32>> {
    let key = ctx.data_unchecked::<Arc<Table>>().key(id);
    let found = ctx.data_unchecked::<Arc<Loaders>>().load(key).await;
    found.map(|found| found.map(|(id, _)| id)).map_err(|fault| async_graphql::Error::new(fault.report()))
}

struct Query;

#[Object]
impl Query {
    async fn rows(&self, count: u32) -> Vec<Sequential<Row>> {
        (0..count).map(|id| Sequential(Row(id))).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_level_of_a_query_is_one_batch_whatever_the_length_of_its_list() {
    let (_app, loaders) = loaders().await;
    let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
    // Many times: it is a race between the threads of the request and of the batch.
    for count in [1, 20, 30, 31, 100].repeat(10) {
        let table = Table::open();
        let query = format!("{{ rows(count: {count}) {{ value next {{ next {{ value }} }} }} }}");
        let request = Request::new(query).data(table.clone()).data(loaders.clone());
        let response = within(schema.execute(request)).await;
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        let level = |first: u32| (first..first + count).collect::<Vec<u32>>();
        assert_eq!(table.batches(), [level(0), level(1000), level(3000), level(4000)]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_batch_is_under_way_at_most_and_the_keys_of_all_requests_gather_for_the_next() {
    let (_app, loaders) = loaders().await;
    let table = Table::gated(0);
    let mut requests = vec![request(&loaders, table.key(1))];
    eventually("the first batch", async || table.batches().len() == 1).await;
    requests.extend((2..=30).map(|id| request(&loaders, table.key(id))));
    requests.extend((2..=30).map(|id| request(&loaders, table.key(id))));
    eventually("all have asked", async || table.asked.load(Ordering::SeqCst) == requests.len()).await;
    assert_eq!(table.batches(), [[1]]);
    table.gate.add_permits(10);
    for answer in within(join_all(requests)).await {
        assert!(answer.unwrap().unwrap().is_some());
    }
    assert_eq!(table.batches()[1..], [(2..=30).collect::<Vec<u32>>()]);
    assert_eq!(table.most_under_way.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_never_answered_from_a_batch_that_was_sent_before_it_was_asked_for() {
    let (_app, loaders) = loaders().await;
    let table = Table::gated(0);
    let first = request(&loaders, table.key(7));
    eventually("the batch is sent", async || table.batches().len() == 1).await;
    table.value.store(2, Ordering::SeqCst);
    let second = request(&loaders, table.key(7));
    eventually("both have asked", async || table.asked.load(Ordering::SeqCst) == 2).await;
    table.gate.add_permits(10);
    let answers = within(join_all([first, second])).await;
    let answers: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().unwrap()).collect();
    assert_eq!(answers, [Some((7, 1)), Some((7, 2))]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_in_a_failed_batch_hears_why_and_the_next_batch_is_not_concerned() {
    let (_app, loaders) = loaders().await;
    let table = Table::open();
    table.fails.store(true, Ordering::SeqCst);
    let answers = within(join_all([1, 2, 2, 3].map(|id| loaders.load(table.key(id))))).await;
    for answer in answers {
        assert_eq!(answer.unwrap_err().report(), "the table is on fire");
    }
    table.fails.store(false, Ordering::SeqCst);
    assert_eq!(within(loaders.load(table.key(2))).await.unwrap(), Some((2, 1)));
    assert_eq!(table.batches(), [vec![1, 2, 3], vec![2]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_is_an_error_for_its_own_batch_only() {
    let (_app, loaders) = loaders().await;
    let table = Table::gated(0);
    table.panics.store(true, Ordering::SeqCst);
    let doomed = request(&loaders, table.key(1));
    eventually("the batch is sent", async || table.batches().len() == 1).await;
    // It waits for a batch that will panic; nobody else will come to send its own.
    let calm = Table::open();
    let mut waiting = pin!(loaders.load(calm.key(3)));
    polled(waiting.as_mut(), 2).await;
    assert!(calm.batches().is_empty());
    table.gate.add_permits(1);
    assert_eq!(within(doomed).await.unwrap().unwrap_err().report(), "a batched load panicked");
    assert_eq!(within(waiting).await.unwrap(), Some((3, 1)));
    assert_eq!(within(loaders.load(calm.key(4))).await.unwrap(), Some((4, 1)));
}

/// A cached key that cannot tell what its value depends on.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Careless;

impl Load for Careless {
    type Value = u32;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&u32>) -> Vec<CacheKey> {
        panic!("as the test wants it")
    }

    async fn load(_: &App, keys: &[Careless]) -> Result<HashMap<Careless, u32>, InternalError> {
        Ok(keys.iter().map(|key| (key.clone(), 1)).collect())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_when_values_are_cached_is_one_too() {
    let (_app, loaders) = loaders().await;
    for _ in 0..2 {
        assert_eq!(within(loaders.load(Careless)).await.unwrap_err().report(), "a batched load panicked");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_gives_up_does_not_take_the_others_along() {
    let (_app, loaders) = loaders().await;
    // Polled once, a load is waiting; polled twice, its batch is sent.
    for polls in 1..=2 {
        let table = Table::gated(0);
        let mut given_up = Box::pin(loaders.load(table.key(1)));
        let mut same = pin!(loaders.load(table.key(1)));
        let mut other = pin!(loaders.load(table.key(2)));
        polled(given_up.as_mut(), 1).await;
        polled(same.as_mut(), 1).await;
        polled(other.as_mut(), 1).await;
        if polls == 2 {
            polled(given_up.as_mut(), 1).await;
        }
        drop(given_up);
        table.gate.add_permits(10);
        assert_eq!(within(&mut same).await.unwrap(), Some((1, 1)));
        assert_eq!(within(&mut other).await.unwrap(), Some((2, 1)));
        assert_eq!(table.batches(), [[1, 2]]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_a_thousand_keys_are_several_statements() {
    let (_app, loaders) = loaders().await;
    let table = Table::open();
    let answers = within(join_all((0..2500).map(|id| loaders.load(table.key(id))))).await;
    for (id, answer) in (0..).zip(answers) {
        assert_eq!(answer.unwrap(), Some((id, 1)));
    }
    let batches = table.batches();
    let mut sizes: Vec<usize> = batches.iter().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [500, 1000, 1000]);
    let mut keys: Vec<u32> = batches.concat();
    keys.sort_unstable();
    assert_eq!(keys, (0..2500).collect::<Vec<u32>>());
    assert_eq!(table.most_under_way.load(Ordering::SeqCst), 1);
}
