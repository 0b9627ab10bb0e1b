//! Values that may be lost at any time: in this process or in Redis.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use moka::Expiry;

use super::fault::{Context, Fault};
use super::redis::{RedisLink, millis};

/// How many bytes of keys and values the in-process cache keeps.
const MEMORY_BYTES: u64 = 64 << 20;
/// What an entry costs beside its key and value, roughly.
const ENTRY_BYTES: usize = 128;

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
    values: moka::sync::Cache<String, Expiring>,
}

impl Cache {
    /// An empty cache in this process.
    pub fn memory() -> Cache {
        let values = moka::sync::Cache::builder()
            .max_capacity(MEMORY_BYTES)
            .weigher(|key: &String, value: &Expiring| {
                u32::try_from(key.len() + value.content.len() + ENTRY_BYTES).unwrap_or(u32::MAX)
            })
            .expire_after(AsStored);
        Cache::Memory(MemoryCache { values: values.build() })
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

    /// Forgets `key`; it is no error if it isn't there.
    ///
    /// # Errors
    /// Redis can't be asked.
    pub async fn delete(&self, key: &str) -> Result<(), Fault> {
        match self {
            Cache::Memory(memory) => {
                memory.values.invalidate(key);
                Ok(())
            }
            Cache::Redis { link, prefix } => {
                let mut delete = redis::cmd("DEL");
                link.query(delete.arg(format!("{prefix}{key}"))).await.context("cache delete")
            }
        }
    }
}

#[derive(Clone)]
struct Expiring {
    content: Bytes,
    ttl: Duration,
}

/// Each entry expires after its own time, counted from when it was stored.
struct AsStored;

impl Expiry<String, Expiring> for AsStored {
    fn expire_after_create(&self, _: &String, value: &Expiring, _: Instant) -> Option<Duration> {
        Some(value.ttl)
    }

    fn expire_after_update(&self, _: &String, value: &Expiring, _: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(value.ttl)
    }
}
