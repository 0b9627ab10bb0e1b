//! A key-value cache, in this process or in Redis. Any value may be evicted at any time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use moka::Expiry;

use super::internal_error::{Context, InternalError};
use super::redis::{RedisLink, millis};

/// The capacity of the in-process cache, in bytes of keys and values.
const MEMORY_BYTES: u64 = 64 << 20;
/// The approximate overhead of an entry, in bytes.
const ENTRY_BYTES: usize = 128;

/// A cache; a clone is the same cache.
#[derive(Clone)]
pub enum Cache {
    /// In this process, with bounded memory.
    Memory(MemoryCache),
    /// In Redis, shared by all nodes.
    Redis {
        /// The connection.
        link: RedisLink,
        /// The prefix of all keys.
        prefix: Arc<str>,
    },
}

/// The cache behind [`Cache::Memory`].
#[derive(Clone)]
pub struct MemoryCache {
    values: moka::sync::Cache<String, Expiring>,
}

impl Cache {
    /// Returns an empty cache in this process.
    pub fn memory() -> Cache {
        let values = moka::sync::Cache::builder()
            .max_capacity(MEMORY_BYTES)
            .weigher(|key: &String, value: &Expiring| {
                u32::try_from(key.len() + value.content.len() + ENTRY_BYTES).unwrap_or(u32::MAX)
            })
            .expire_after(AsStored);
        Cache::Memory(MemoryCache { values: values.build() })
    }

    /// Returns a cache in Redis whose keys all begin with `prefix`, for example `lyceum:cache:`.
    pub fn redis(link: RedisLink, prefix: &str) -> Cache {
        Cache::Redis { link, prefix: prefix.into() }
    }

    /// Returns the value of `key`; `None` if it is not cached or has expired.
    ///
    /// # Errors
    /// Redis is unreachable.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, InternalError> {
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

    /// Caches `value` under `key` for `ttl` (at least one millisecond). Replaces any earlier value.
    ///
    /// # Errors
    /// Redis is unreachable; the value may or may not have been stored.
    pub async fn set(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), InternalError> {
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

    /// Removes `key`; succeeds if it isn't cached.
    ///
    /// # Errors
    /// Redis is unreachable.
    pub async fn delete(&self, key: &str) -> Result<(), InternalError> {
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

/// Expires each entry after its own TTL, counted from when it was last stored.
struct AsStored;

impl Expiry<String, Expiring> for AsStored {
    fn expire_after_create(&self, _: &String, value: &Expiring, _: Instant) -> Option<Duration> {
        Some(value.ttl)
    }

    fn expire_after_update(&self, _: &String, value: &Expiring, _: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(value.ttl)
    }
}
