//! Reads of which each is a statement of its own, like searches.

use super::*;

/// A key that PostgreSQL would reject.
const BAD: u32 = 999_999;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Search(Key);

impl Load for Search {
    type Value = (u32, u32);
    const ALONE: bool = true;

    fn is_valid(&self) -> bool {
        self.0.id != BAD
    }

    async fn load(app: &App, keys: &[Search]) -> Result<HashMap<Search, (u32, u32)>, InternalError> {
        let keys: Vec<Key> = keys.iter().map(|search| search.0.clone()).collect();
        Ok(Key::load(app, &keys).await?.into_iter().map(|(key, value)| (Search(key), value)).collect())
    }
}

async fn at_most(searches: &str) -> (TestApp, Arc<Loaders>) {
    let app = TestApp::with(&[("LYCEUM_SEARCHES", searches)]).await;
    let loaders = Arc::new(Loaders::new(app.app.clone()));
    (app, loaders)
}

fn search(loaders: &Arc<Loaders>, key: Key) -> JoinHandle<Loaded> {
    let loaders = loaders.clone();
    tokio::spawn(async move { loaders.load(Search(key)).await })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_are_in_flight_and_no_more_than_the_setting_allows() {
    let (_app, loaders) = at_most("2").await;
    let table = Table::gated(0);
    let searches: Vec<_> = (0..6).map(|id| search(&loaders, table.key(id))).collect();
    eventually("two are sent", async || table.batches().len() == 2).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(table.batches().len(), 2);
    table.gate.add_permits(10);
    for (id, found) in (0..).zip(searches) {
        assert_eq!(within(found).await.unwrap().unwrap(), Some((id, 1)));
    }
    assert_eq!(table.most_under_way.load(Ordering::SeqCst), 2);
    assert!(table.batches().iter().all(|keys| keys.len() == 1), "{:?}", table.batches());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_fails_concerns_no_other_and_an_invalid_one_is_not_sent() {
    let (_app, loaders) = at_most("4").await;
    let (burning, fine) = (Table::open(), Table::open());
    burning.fails.store(true, Ordering::SeqCst);
    let (failed, found) = tokio::join!(loaders.load(Search(burning.key(1))), loaders.load(Search(fine.key(2))));
    assert_eq!(failed.unwrap_err().report(), "the table is on fire");
    assert_eq!(found.unwrap(), Some((2, 1)));
    assert_eq!(loaders.load(Search(burning.key(BAD))).await.unwrap(), None);
    assert_eq!(burning.batches(), [[1]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_ones_are_one_statement_until_something_changes() {
    let (app, loaders) = at_most("4").await;
    let table = Table::gated(0);
    let first = search(&loaders, table.key(1));
    eventually("it is sent", async || table.batches().len() == 1).await;
    let same = search(&loaders, table.key(1));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(table.batches().len(), 1);
    table.value.store(2, Ordering::SeqCst);
    app.forget_rows();
    let later = search(&loaders, table.key(1));
    eventually("it is sent again", async || table.batches().len() == 2).await;
    table.gate.add_permits(10);
    assert_eq!(within(first).await.unwrap().unwrap(), Some((1, 1)));
    assert_eq!(within(same).await.unwrap().unwrap(), Some((1, 1)));
    assert_eq!(within(later).await.unwrap().unwrap(), Some((1, 2)), "a client reads its own writes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_gives_up_while_it_waits_sends_nothing() {
    let (_app, loaders) = at_most("1").await;
    let table = Table::gated(0);
    let first = search(&loaders, table.key(1));
    eventually("it is sent", async || table.batches().len() == 1).await;
    let given_up = search(&loaders, table.key(2));
    tokio::time::sleep(Duration::from_millis(20)).await;
    given_up.abort();
    assert!(given_up.await.unwrap_err().is_cancelled());
    table.gate.add_permits(10);
    within(first).await.unwrap().unwrap();
    assert_eq!(within(loaders.load(Search(table.key(3)))).await.unwrap(), Some((3, 1)));
    assert_eq!(table.batches(), [[1], [3]]);
}
