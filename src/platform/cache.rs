//! Values that may be lost at any time, and counters for rate limits: in this process or in Redis.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use moka::Expiry;
use moka::policy::EvictionPolicy;

use super::fault::{Context, Fault};
use super::redis::{RedisLink, millis};

/// How many bytes of keys and values the in-process cache keeps.
const MEMORY_BYTES: u64 = 64 << 20;
/// How many counters the in-process cache keeps; the least recently used goes first, and starts at zero again.
const MEMORY_COUNTERS: u64 = 200_000;
/// What an entry costs beside its key and value, roughly.
const ENTRY_BYTES: usize = 128;

/// Counts and sets the expiry in one step, so that no counter can be left without one by a crash in between.
const INCREMENT: &str = "local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return n";

/// A cache; a clone is the same cache.
#[derive(Clone)]
pub enum Cache {
    /// In this process, bounded.
    Memory(MemoryCache),
    /// In Redis, shared by all nodes.
    Redis {
        /// The connection.
        link: RedisLink,
        /// What every key of this cache begins with.
        prefix: Arc<str>,
    },
}

/// What [`Cache::Memory`] holds.
#[derive(Clone)]
pub struct MemoryCache {
    values: moka::sync::Cache<String, Expiring<Bytes>>,
    // Apart from the values, so that a flood of one can't push out the other, and by recency: moka's usual policy
    // turns newcomers away when it is full, and a counter that isn't kept would never reach its limit.
    counters: moka::sync::Cache<String, Expiring<Arc<AtomicU64>>>,
}

impl Cache {
    /// An empty cache in this process.
    pub fn memory() -> Cache {
        let values = moka::sync::Cache::builder()
            .max_capacity(MEMORY_BYTES)
            .weigher(|key: &String, value: &Expiring<Bytes>| {
                u32::try_from(key.len() + value.content.len() + ENTRY_BYTES).unwrap_or(u32::MAX)
            })
            .expire_after(AsStored);
        let counters = moka::sync::Cache::builder()
            .max_capacity(MEMORY_COUNTERS)
            .eviction_policy(EvictionPolicy::lru())
            .expire_after(AsStored);
        Cache::Memory(MemoryCache { values: values.build(), counters: counters.build() })
    }

    /// A cache in Redis whose keys all begin with `prefix`, for example `lyceum:cache:`.
    pub fn redis(link: RedisLink, prefix: &str) -> Cache {
        Cache::Redis { link, prefix: prefix.into() }
    }

    /// The value of `key`, if it is there and hasn't expired.
    ///
    /// # Errors
    /// Redis can't be asked.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, Fault> {
        match self {
            Cache::Memory(memory) => Ok(memory.values.get(key).map(|value| value.content)),
            Cache::Redis { link, prefix } => {
                let mut get = redis::cmd("GET");
                let value: Option<Vec<u8>> =
                    link.query(get.arg(format!("{prefix}{key}"))).await.context("cache get")?;
                Ok(value.map(Bytes::from))
            }
        }
    }

    /// Keeps `value` under `key` for at most `ttl` (at least one millisecond), in place of what was there.
    ///
    /// # Errors
    /// Redis can't be asked; whether the value is kept is then unknown.
    pub async fn set(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), Fault> {
        match self {
            Cache::Memory(memory) => {
                memory.values.insert(key.to_owned(), Expiring { content: value, ttl });
                Ok(())
            }
            Cache::Redis { link, prefix } => {
                let mut set = redis::cmd("SET");
                set.arg(format!("{prefix}{key}")).arg(value.as_ref()).arg("PX").arg(millis(ttl));
                link.query(&set).await.context("cache set")
            }
        }
    }

    /// Forgets `key`, a value or a counter; it is no error if it isn't there.
    ///
    /// # Errors
    /// Redis can't be asked.
    pub async fn delete(&self, key: &str) -> Result<(), Fault> {
        match self {
            Cache::Memory(memory) => {
                memory.values.invalidate(key);
                memory.counters.invalidate(key);
                Ok(())
            }
            Cache::Redis { link, prefix } => {
                let mut delete = redis::cmd("DEL");
                link.query(delete.arg(format!("{prefix}{key}"))).await.context("cache delete")
            }
        }
    }

    /// Adds one to the counter `key` and returns the sum. The first one opens a window of the given length, at whose
    /// end the counter is gone (a fixed window: the end doesn't move). Keys of counters and of values must differ.
    ///
    /// # Errors
    /// Redis can't be asked; whether it counted is then unknown.
    pub async fn increment(&self, key: &str, window: Duration) -> Result<u64, Fault> {
        match self {
            Cache::Memory(memory) => {
                let start = || Expiring { content: Arc::default(), ttl: window };
                Ok(memory.counters.get_with_by_ref(key, start).content.fetch_add(1, Ordering::Relaxed) + 1)
            }
            Cache::Redis { link, prefix } => {
                let mut script = redis::cmd("EVAL");
                script.arg(INCREMENT).arg(1).arg(format!("{prefix}{key}")).arg(millis(window));
                link.query(&script).await.context("cache increment")
            }
        }
    }
}

#[derive(Clone)]
struct Expiring<T> {
    content: T,
    ttl: Duration,
}

/// Each entry expires after its own time, counted from when it was stored.
struct AsStored;

impl<T> Expiry<String, Expiring<T>> for AsStored {
    fn expire_after_create(&self, _: &String, value: &Expiring<T>, _: Instant) -> Option<Duration> {
        Some(value.ttl)
    }

    fn expire_after_update(
        &self,
        _: &String,
        value: &Expiring<T>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(value.ttl)
    }
}
