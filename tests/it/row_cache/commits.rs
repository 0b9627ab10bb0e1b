//! When a key is loaded again, with a table of the test's own.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use lyceum::graphql::loaders::{Load, Loaders};
use lyceum::platform::App;
use lyceum::platform::db::CacheKey;
use lyceum::platform::internal_error::InternalError;
use lyceum::platform::outbox::{self, Event};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::support::TestApp;

/// All bells.
fn bells() -> CacheKey {
    CacheKey::all("bell")
}

/// The bell with this number.
fn bell_key(id: u32) -> CacheKey {
    CacheKey::of("bell", id.to_le_bytes())
}

#[derive(Serialize, Deserialize)]
struct BellCast {}

impl Event for BellCast {
    const KIND: &'static str = "bell_cast";
}

/// A table whose rows all have the same value; odd keys have none.
struct Table {
    value: AtomicUsize,
    loads: AtomicUsize,
    fails: AtomicBool,
    /// A permit for each load that may return.
    gate: Semaphore,
}

impl Table {
    fn new(permits: usize) -> Arc<Table> {
        let (value, loads) = (AtomicUsize::new(1), AtomicUsize::new(0));
        Arc::new(Table { value, loads, fails: AtomicBool::new(false), gate: Semaphore::new(permits) })
    }

    fn open() -> Arc<Table> {
        Table::new(Semaphore::MAX_PERMITS)
    }

    fn loads(&self) -> usize {
        self.loads.load(Ordering::SeqCst)
    }
}

#[derive(Clone)]
struct Bell(u32, Arc<Table>);

impl PartialEq for Bell {
    fn eq(&self, other: &Bell) -> bool {
        self.0 == other.0
    }
}

impl Eq for Bell {}

impl Hash for Bell {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Load for Bell {
    type Value = usize;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&usize>) -> Vec<CacheKey> {
        vec![bell_key(self.0), bells()]
    }

    async fn load(_: &App, keys: &[Bell]) -> Result<HashMap<Bell, usize>, InternalError> {
        let table = &keys[0].1;
        let value = table.value.load(Ordering::SeqCst);
        table.loads.fetch_add(1, Ordering::SeqCst);
        table.gate.acquire().await.unwrap().forget();
        if table.fails.load(Ordering::SeqCst) {
            return Err(InternalError::new("the tower is locked"));
        }
        Ok(keys.iter().filter(|key| key.0 % 2 == 0).map(|key| (key.clone(), value)).collect())
    }
}

async fn loaders() -> (TestApp, Arc<Loaders>) {
    let app = TestApp::start().await;
    let loaders = Arc::new(Loaders::new(app.app.clone()));
    (app, loaders)
}

/// Loads a key until it does so without asking the table. A machine that stands still for a second may need a few turns.
async fn keep(loaders: &Loaders, bell: &Bell) {
    for _ in 0..100 {
        loaders.load(bell.clone()).await.unwrap();
        let before = bell.1.loads();
        loaders.load(bell.clone()).await.unwrap();
        if bell.1.loads() == before {
            return;
        }
    }
    panic!("nothing is kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_and_the_lack_of_one_are_cached_until_a_commit_of_their_keys() {
    let (test, loaders) = loaders().await;
    let app = &test.app;
    let table = Table::open();
    for (id, name) in [(2, "a value"), (3, "none")] {
        let bell = Bell(id, table.clone());
        for kind in ["row", "list", "everything"] {
            keep(&loaders, &bell).await;
            let loads = table.loads();
            match kind {
                "everything" => test.forget_rows(),
                kind => {
                    let key = if kind == "row" { bell_key(id) } else { bells() };
                    let written = app.db.transaction(async |tx| {
                        tx.changed(key);
                        Ok::<_, InternalError>(())
                    });
                    written.await.unwrap();
                }
            }
            assert_eq!(loaders.load(bell.clone()).await.unwrap().is_some(), id == 2);
            assert_eq!(table.loads(), loads + 1, "{name}, {kind}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_rolled_back_or_of_another_key_invalidates_nothing() {
    let (test, loaders) = loaders().await;
    let app = &test.app;
    let bell = Bell(2, Table::open());
    // That nothing is dropped shows within a second only: a machine that stands still gets another chance.
    for attempt in 0.. {
        keep(&loaders, &bell).await;
        let loads = bell.1.loads();
        let undone = app.db.transaction(async |tx| {
            tx.changed(bell_key(2));
            outbox::record(tx, &app.clock, &BellCast {}).await?;
            Err::<(), _>(InternalError::new("changed my mind"))
        });
        undone.await.unwrap_err();
        let other = app.db.transaction(async |tx| {
            tx.changed(bell_key(4));
            tx.changed(CacheKey::all("organ"));
            outbox::record(tx, &app.clock, &BellCast {}).await
        });
        other.await.unwrap();
        loaders.load(bell.clone()).await.unwrap();
        if bell.1.loads() == loads {
            return;
        }
        assert!(attempt < 100, "it is dropped each time");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_that_began_before_a_commit_is_not_kept_after_it() {
    let (test, loaders) = loaders().await;
    let app = &test.app;
    for _ in 0..20 {
        let table = Table::new(0);
        let bell = Bell(2, table.clone());
        let early = tokio::spawn({
            let (loaders, bell) = (loaders.clone(), bell.clone());
            async move { loaders.load(bell).await }
        });
        while table.loads() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let written = app.db.transaction(async |tx| {
            tx.changed(bell_key(2));
            table.value.store(2, Ordering::SeqCst);
            Ok::<_, InternalError>(())
        });
        written.await.unwrap();
        table.gate.add_permits(10);
        assert_eq!(early.await.unwrap().unwrap(), Some(1), "it was asked before the commit");
        assert_eq!(loaders.load(bell).await.unwrap(), Some(2));
        test.forget_rows();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_not_kept() {
    let (_test, loaders) = loaders().await;
    let table = Table::open();
    table.fails.store(true, Ordering::SeqCst);
    loaders.load(Bell(2, table.clone())).await.unwrap_err();
    table.fails.store(false, Ordering::SeqCst);
    assert_eq!(loaders.load(Bell(2, table)).await.unwrap(), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abandoned_transaction_drops_what_it_may_have_changed() {
    let (test, loaders) = loaders().await;
    let bell = Bell(2, Table::open());
    let events = async || test.sql("SELECT count(*) FROM events").await;
    let mut polls = 0;
    // Given up one step later each time, until PostgreSQL commits behind its back.
    for _ in 0..200 {
        polls += 1;
        let app = &test.app;
        let changed = app.db.transaction(async |tx| {
            tx.changed(bell_key(2));
            outbox::record(tx, &app.clock, &BellCast {}).await
        });
        let mut changed = Box::pin(changed);
        let before = events().await;
        let mut finished = false;
        for _ in 1..polls {
            finished = finished || futures_util::poll!(changed.as_mut()).is_ready();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if finished || events().await != before {
            // This time it took fewer steps than the last.
            polls = 0;
            continue;
        }
        keep(&loaders, &bell).await;
        let loads = bell.1.loads();
        _ = futures_util::poll!(changed.as_mut());
        tokio::time::sleep(Duration::from_millis(1)).await;
        drop(changed);
        loaders.load(bell.clone()).await.unwrap();
        let dropped = bell.1.loads() == loads + 1;
        if events().await != before {
            assert!(dropped, "committed after {polls} polls");
            return;
        }
    }
    panic!("it was never given up between the commit and the answer");
}
