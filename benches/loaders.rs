//! `make bench-loaders`: measures the overhead of batching.
//!
//! A request loads twenty keys at once, and a batch is served from memory without waiting, so only the overhead of the
//! loader is measured. It is measured for a single request and for sixteen concurrent requests. Rounds are interleaved,
//! because machines are noisy.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark that cannot go on should stop where it stands"
)]

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_graphql::dataloader::DataLoader;
use chrono::TimeDelta;
use dataloader::{BatchFn, cached, non_cached};
use futures_util::future::join_all;
use lyceum::config::Config;
use lyceum::graphql::loaders::{Load, Loaders};
use lyceum::platform::auth::{ApiTokens, Codes, Passwords, Revocations, Seal, Tokens};
use lyceum::platform::clock::Clock;
use lyceum::platform::db::{self, Db};
use lyceum::platform::identity::Providers;
use lyceum::platform::internal_error::InternalError;
use lyceum::platform::mail::Mailer;
use lyceum::platform::payments::Payments;
use lyceum::platform::pubsub::PubSub;
use lyceum::platform::push::Pusher;
use lyceum::platform::shares::Shares;
use lyceum::platform::storage::{self, Storage};
use lyceum::platform::telemetry::Metrics;
use lyceum::platform::throttle::Throttle;
use lyceum::platform::{App, Services};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const KEYS: u32 = 20;
const REQUESTS: usize = 16;
const ROUNDS: usize = 5000;
/// The number of rounds with concurrent requests.
///
/// There are fewer, because the timer of the slowest loader makes a round take more than a millisecond.
const CROWDED_ROUNDS: usize = 1500;

/// The number of batches since the last reset, of any loader.
static BATCHES: AtomicUsize = AtomicUsize::new(0);

/// Returns the rows for `keys`; all loaders read from here.
fn rows<K: Copy + Eq + std::hash::Hash>(keys: &[K], id: impl Fn(K) -> u32) -> HashMap<K, Arc<str>> {
    BATCHES.fetch_add(1, Ordering::Relaxed);
    keys.iter().map(|key| (*key, Arc::from(format!("row {}", id(*key))))).collect()
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key(u32);

impl Load for Key {
    type Value = Arc<str>;

    async fn load(_: &App, keys: &[Key]) -> Result<HashMap<Key, Arc<str>>, InternalError> {
        Ok(rows(keys, |key| key.0))
    }
}

struct Rows;

impl async_graphql::dataloader::Loader<u32> for Rows {
    type Value = Arc<str>;
    type Error = Arc<str>;

    async fn load(&self, keys: &[u32]) -> Result<HashMap<u32, Arc<str>>, Arc<str>> {
        Ok(rows(keys, |key| key))
    }
}

impl BatchFn<u32, Arc<str>> for Rows {
    async fn load(&mut self, keys: &[u32]) -> HashMap<u32, Arc<str>> {
        rows(keys, |key| key)
    }
}

#[derive(Clone)]
enum Contender {
    Ours(Arc<Loaders>),
    AsyncGraphql(Arc<DataLoader<Rows>>),
    /// A new loader for each request, because its cache must not outlive the request.
    Cached,
    NonCached,
}

impl Contender {
    /// Runs the twenty loads of one request and returns the elapsed time.
    async fn request(self) -> Duration {
        let started = Instant::now();
        let lengths: Vec<usize> = match self {
            Contender::Ours(loaders) => {
                let load = async |key| loaders.load(Key(key)).await.unwrap().unwrap().len();
                join_all((0..KEYS).map(load)).await
            }
            Contender::AsyncGraphql(loader) => {
                let load = async |key| loader.load_one(key).await.unwrap().unwrap().len();
                join_all((0..KEYS).map(load)).await
            }
            Contender::Cached => {
                let loader = cached::Loader::new(Rows);
                let load = async |key| loader.load(key).await.len();
                join_all((0..KEYS).map(load)).await
            }
            Contender::NonCached => {
                let loader = non_cached::Loader::new(Rows);
                let load = async |key| loader.load(key).await.len();
                join_all((0..KEYS).map(load)).await
            }
        };
        let taken = started.elapsed();
        assert_eq!(lengths.len(), KEYS as usize);
        taken
    }
}

/// The measurements of one contender; times are in microseconds.
#[derive(Default)]
struct Figures {
    alone: Vec<f64>,
    crowded: Vec<f64>,
    batches_alone: usize,
    batches_crowded: usize,
}

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let divisor = if quick { 50 } else { 1 };
    let timer = |delay| Contender::AsyncGraphql(Arc::new(DataLoader::new(Rows, tokio::spawn).delay(delay)));
    let contenders = [
        ("Lyceum's `Loaders`", Contender::Ours(Arc::new(Loaders::new(app())))),
        ("async-graphql's `DataLoader`, as it comes (1 ms)", timer(Duration::from_millis(1))),
        ("async-graphql's `DataLoader`, no delay", timer(Duration::ZERO)),
        ("`dataloader` 0.18, cached, one for each request", Contender::Cached),
        ("`dataloader` 0.18, not cached, one for each request", Contender::NonCached),
    ];
    let mut figures: Vec<Figures> = contenders.iter().map(|_| Figures::default()).collect();
    for round in 0..ROUNDS / divisor {
        for ((_, contender), figures) in contenders.iter().zip(&mut figures) {
            let taken = tokio::spawn(contender.clone().request()).await.unwrap();
            // Skip the warm-up rounds.
            if round >= 10 {
                figures.alone.push(taken.as_secs_f64() * 1e6);
                figures.batches_alone += BATCHES.load(Ordering::Relaxed);
            }
            BATCHES.store(0, Ordering::Relaxed);
        }
    }
    for _ in 0..CROWDED_ROUNDS / divisor {
        for ((_, contender), figures) in contenders.iter().zip(&mut figures) {
            let started = Instant::now();
            let requests = (0..REQUESTS).map(|_| tokio::spawn(contender.clone().request()));
            join_all(requests.collect::<Vec<_>>()).await;
            figures.crowded.push(started.elapsed().as_secs_f64() * 1e6);
            figures.batches_crowded += BATCHES.swap(0, Ordering::Relaxed);
        }
    }
    print(&contenders.map(|(name, _)| name), &mut figures);
}

fn print(names: &[&str], figures: &mut [Figures]) {
    println!("{KEYS} keys a request, µs until all are answered: median (90th percentile); batches on average\n");
    println!("| loader | one request | batches | {REQUESTS} requests | batches |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (name, figures) in names.iter().zip(figures) {
        let batches = |count: usize, rounds: usize| count as f64 / rounds as f64;
        println!(
            "| {name} | {} | {:.1} | {} | {:.1} |",
            summary(&mut figures.alone),
            batches(figures.batches_alone, figures.alone.len()),
            summary(&mut figures.crowded),
            batches(figures.batches_crowded, figures.crowded.len()),
        );
    }
}

fn summary(times: &mut [f64]) -> String {
    times.sort_unstable_by(f64::total_cmp);
    format!("{:.0} ({:.0})", times[times.len() / 2], times[times.len() * 9 / 10])
}

/// Builds an application for `Loaders`; none of its services ever connects.
fn app() -> App {
    let config = Config::from_vars(BTreeMap::new()).unwrap();
    let clock = Clock::System;
    let db = db::Settings {
        url: "postgres://nobody@127.0.0.1:9/none".into(),
        connections: 1,
        timeout: Duration::from_secs(15),
        schema: None,
    };
    let store = storage::Settings {
        endpoint: Some("http://127.0.0.1:9".into()),
        bucket: "unused".into(),
        region: "us-east-1".into(),
        access_key: "unused".into(),
        secret_key: "unused".into(),
    };
    App::new(Services {
        connections: Shares::new(config.limits.client_connections),
        sockets: Shares::new(config.limits.client_sockets),
        draining: CancellationToken::new(),
        node: uuid::Uuid::new_v4(),
        db: Db::new(&db).unwrap(),
        throttle: Throttle::memory(clock.clone()),
        pubsub: PubSub::local(),
        storage: Storage::connect(store),
        ffmpeg: None,
        mailer: Mailer::Memory(Arc::new(Mutex::default())),
        passwords: Passwords::new(1).unwrap(),
        codes: Codes::new(["a secret of this benchmark's own!!".to_owned()]).unwrap(),
        tokens: Tokens::new("a secret of this benchmark's own!!", &[], TimeDelta::minutes(1), clock.clone()),
        api_tokens: ApiTokens::default(),
        hooks: lyceum::app::hooks(),
        seal: Seal::new("a secret of this benchmark's own!!", &[]),
        epoch: Default::default(),
        revocations: Revocations::new(std::time::Duration::from_secs(60)),
        identity: Providers::new(&config.identity, &clock).unwrap(),
        pusher: Pusher::new(&config, "a secret of this benchmark's own!!", &clock).unwrap(),
        payments: Payments::new(None, &config.payments.gateways, lyceum::platform::tls::roots(), &clock).unwrap(),
        metrics: Metrics::new(),
        config,
        clock,
        tasks: TaskTracker::new(),
        stopping: CancellationToken::new(),
    })
}
