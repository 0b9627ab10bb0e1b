//! The row cache: loaded values that are used for a second at most.
//!
//! The second counts from the start of the load, and a value is not used after a change of what it was derived from that
//! this node knows of ([`Invalidation`]): a client reads its own writes at once, and those of others a second later at
//! the latest, whatever is lost between the nodes.
//!
//! Not moka: a response takes some twenty lookups, and one of moka's takes twice as long (120 ns against 250 ns, with two
//! threads 170 ns against 430 ns), for an eviction policy that a TTL of a second has no use for.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::platform::db::{self, CacheKey, Invalidation};

/// How long a value is used.
const TTL: Duration = Duration::from_secs(1);
/// Locks, so that threads seldom meet at one.
const SHARDS: usize = 8;
/// The most rows in one generation of a shard: 32,768 in all.
const GENERATION_ROWS: usize = 2048;

/// When a load began.
#[derive(Clone, Copy)]
pub(super) struct Start {
    at: Instant,
    changes: db::Instant,
}

/// The values of one kind of keys, and the keys that are known to have none.
pub(super) struct RowCache<K, V> {
    invalidation: Invalidation,
    hasher: RandomState,
    shards: [RwLock<Shard<K, V>>; SHARDS],
}

/// Two generations: when the young one is a TTL old or full it becomes the old one, and the old one is dropped.
struct Shard<K, V> {
    born: Instant,
    /// Rows in the young generation.
    rows: usize,
    young: Generation<K, V>,
    old: Generation<K, V>,
}

type Generation<K, V> = HashMap<K, Entry<V>>;

struct Entry<V> {
    start: Start,
    depends_on: Box<[CacheKey]>,
    value: Option<V>,
}

impl<K: Eq + Hash, V: Clone> RowCache<K, V> {
    /// An empty cache.
    pub(super) fn new(invalidation: Invalidation) -> RowCache<K, V> {
        let shard = || Shard { born: Instant::now(), rows: 0, young: HashMap::new(), old: HashMap::new() };
        let shards = std::array::from_fn(|_| RwLock::new(shard()));
        RowCache { invalidation, hasher: RandomState::new(), shards }
    }

    /// To be called before a load, for what it finds.
    pub(super) fn start(&self) -> Start {
        Start { at: Instant::now(), changes: self.invalidation.now() }
    }

    /// What is cached for `key`: a value, or that there is none.
    pub(super) fn get(&self, key: &K) -> Option<Option<V>> {
        let shard = self.shard(key)?.read().unwrap_or_else(PoisonError::into_inner);
        let Entry { start, depends_on, value } = shard.young.get(key).or_else(|| shard.old.get(key))?;
        let fresh = start.at.elapsed() < TTL && self.invalidation.is_current(depends_on, start.changes);
        fresh.then(|| value.clone())
    }

    /// Caches what a load has found and what that was derived from, unless it is stale already. `rows` bounds the
    /// memory.
    pub(super) fn put(&self, key: K, value: Option<V>, rows: usize, depends_on: Box<[CacheKey]>, start: Start) {
        if rows > GENERATION_ROWS || !self.invalidation.is_current(&depends_on, start.changes) {
            return;
        }
        let Some(shard) = self.shard(&key) else { return };
        let shard = &mut *shard.write().unwrap_or_else(PoisonError::into_inner);
        if shard.rows + rows > GENERATION_ROWS || start.at.saturating_duration_since(shard.born) >= TTL {
            shard.old = std::mem::take(&mut shard.young);
            (shard.rows, shard.born) = (0, start.at);
        }
        shard.rows += rows;
        shard.young.insert(key, Entry { start, depends_on, value });
    }

    fn shard(&self, key: &K) -> Option<&RwLock<Shard<K, V>>> {
        // The upper bits: the maps use the lower ones of a hash of their own.
        let hash = self.hasher.hash_one(key) >> 32;
        self.shards.get(usize::try_from(hash).ok()? % SHARDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> (Invalidation, RowCache<u32, u32>) {
        let invalidation = Invalidation::default();
        (invalidation.clone(), RowCache::new(invalidation))
    }

    fn on(key: u32) -> Box<[CacheKey]> {
        Box::new([CacheKey::of("thing", key.to_le_bytes())])
    }

    /// A load that began so long ago.
    fn begun(cache: &RowCache<u32, u32>, ago: Duration) -> Start {
        let now = cache.start();
        Start { at: now.at.checked_sub(ago).unwrap(), ..now }
    }

    #[test]
    fn a_value_and_its_absence_are_cached() {
        let (_, cache) = cache();
        assert_eq!(cache.get(&1), None);
        cache.put(1, Some(10), 1, on(1), cache.start());
        cache.put(2, None, 1, on(2), cache.start());
        assert_eq!((cache.get(&1), cache.get(&2), cache.get(&3)), (Some(Some(10)), Some(None), None));
        cache.put(1, Some(11), 1, on(1), cache.start());
        assert_eq!(cache.get(&1), Some(Some(11)));
    }

    #[test]
    fn the_second_counts_from_the_start_of_the_load() {
        let (_, cache) = cache();
        cache.put(1, Some(10), 1, on(1), begun(&cache, TTL));
        cache.put(2, Some(20), 1, on(2), begun(&cache, Duration::ZERO));
        assert_eq!(cache.get(&1), None);
        // A machine that stands still for a second between these lines proves nothing.
        let started = Instant::now();
        let found = cache.get(&2);
        assert!(found == Some(Some(20)) || started.elapsed() >= TTL);
    }

    #[test]
    fn a_change_invalidates_what_depends_on_it_and_keeps_out_what_began_before() {
        let (changes, cache) = cache();
        let early = cache.start();
        cache.put(1, Some(10), 1, on(1), early);
        cache.put(2, Some(20), 1, on(2), early);
        changes.heard(&crate::platform::db::payload(&on(1)));
        assert_eq!((cache.get(&1), cache.get(&2)), (None, Some(Some(20))), "the other one stays");
        cache.put(1, Some(10), 1, on(1), early);
        assert_eq!(cache.get(&1), None, "it may be what was there before the change");
        cache.put(1, Some(11), 1, on(1), cache.start());
        assert_eq!(cache.get(&1), Some(Some(11)));
        changes.everything_changed();
        assert_eq!((cache.get(&1), cache.get(&2)), (None, None));
    }

    #[test]
    fn its_rows_are_bounded_and_the_latest_are_there() {
        let (_, cache) = cache();
        let most = 2 * SHARDS * GENERATION_ROWS;
        for key in 0..200_000 {
            cache.put(key, Some(key), 3, on(key), cache.start());
            assert!(key % 997 != 0 || cache.get(&key) == Some(Some(key)), "{key}");
        }
        let held = |shard: &RwLock<Shard<u32, u32>>| {
            let shard = shard.read().unwrap();
            shard.young.len() + shard.old.len()
        };
        let held: usize = cache.shards.iter().map(held).sum();
        assert!(3 * held <= most && 3 * held > most / 2, "{held} entries of three rows");
        cache.put(1_000_000, Some(1), GENERATION_ROWS + 1, on(1), cache.start());
        assert_eq!(cache.get(&1_000_000), None, "too large a value is not cached");
    }
}
