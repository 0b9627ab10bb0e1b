//! Loads of what depends on the viewer: each request has its own.

use std::fmt;

use lyceum::graphql::viewer_loaders::ViewerLoaders;

use super::*;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Mine(Key);

impl fmt::Debug for Mine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mine({})", self.0.id)
    }
}

impl Load for Mine {
    type Value = (u32, u32);

    async fn load(app: &App, keys: &[Mine]) -> Result<HashMap<Mine, (u32, u32)>, InternalError> {
        let keys: Vec<Key> = keys.iter().map(|mine| mine.0.clone()).collect();
        Ok(Key::load(app, &keys).await?.into_iter().map(|(key, value)| (Mine(key), value)).collect())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_loads_a_level_at_once_and_each_key_once_and_no_other_request_sees_it() {
    let (_app, loaders) = loaders().await;
    let table = Table::open();
    let one = ViewerLoaders::new(loaders.clone(), true);
    let keys = (0..20).chain([MISSING]);
    let answers = within(join_all(keys.clone().map(|id| one.load(Mine(table.key(id)))))).await;
    assert_eq!(table.batches(), [keys.clone().collect::<Vec<u32>>()]);
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!((answers[3], answers[20]), (Some((3, 1)), None));
    table.value.store(2, Ordering::SeqCst);
    assert_eq!(one.load(Mine(table.key(3))).await.unwrap(), Some((3, 1)), "one answer within a request");
    assert_eq!(table.batches().len(), 1);
    let other = ViewerLoaders::new(loaders, true);
    assert_eq!(other.load(Mine(table.key(3))).await.unwrap(), Some((3, 2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mutation_reads_what_it_has_written() {
    let (_app, loaders) = loaders().await;
    let table = Table::open();
    let mutation = ViewerLoaders::new(loaders, false);
    assert_eq!(mutation.load(Mine(table.key(3))).await.unwrap(), Some((3, 1)));
    table.value.store(2, Ordering::SeqCst);
    assert_eq!(mutation.load(Mine(table.key(3))).await.unwrap(), Some((3, 2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_told_to_all_and_who_gives_up_does_not_take_the_others_along() {
    let (_app, loaders) = loaders().await;
    let table = Table::open();
    table.fails.store(true, Ordering::SeqCst);
    let viewer = ViewerLoaders::new(loaders.clone(), true);
    for failed in within(join_all((0..2).map(|id| viewer.load(Mine(table.key(id)))))).await {
        assert_eq!(failed.unwrap_err().report(), "the table is on fire");
    }
    let table = Table::gated(0);
    let viewer = ViewerLoaders::new(loaders, true);
    let mut given_up = Box::pin(viewer.load(Mine(table.key(1))));
    let mut other = pin!(viewer.load(Mine(table.key(2))));
    // The first one drives the batch when it is dropped.
    for _ in 0..30 {
        polled(given_up.as_mut(), 1).await;
        polled(other.as_mut(), 1).await;
    }
    drop(given_up);
    table.gate.add_permits(10);
    assert_eq!(within(other).await.unwrap(), Some((2, 1)));
}
