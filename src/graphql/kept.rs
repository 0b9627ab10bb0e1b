//! Loaded values that are kept for a moment.
//!
//! A value is used for a second at most, counted from the start of its load, and not after a change of its kinds that
//! this node knows of: a client reads its own writes at once, and others' a second later at worst, whatever is lost
//! between the nodes.
//!
//! Not moka: an answer takes some twenty looks, and one of moka's takes twice as long (120 ns against 250 ns, two
//! threads 170 ns against 430 ns), for a policy of eviction that a lifetime of a second has no use for.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::platform::db::Watch;

/// How long a value is used.
const LIFETIME: Duration = Duration::from_secs(1);
/// Locks, so that threads seldom meet at one.
const SHARDS: usize = 8;
/// The most rows in one generation of a shard: 32,768 in all.
const GENERATION_ROWS: usize = 2048;

/// When a load began.
#[derive(Clone, Copy)]
pub(super) struct Start {
    at: Instant,
    epoch: u64,
}

/// The values of one kind of keys, and the keys that are known to have none.
pub(super) struct Kept<K, V> {
    watch: Watch,
    hasher: RandomState,
    shards: [RwLock<Shard<K, V>>; SHARDS],
}

/// Two generations: when the young one is a lifetime old or full it becomes the old one, and what was old is forgotten.
struct Shard<K, V> {
    /// What is in it was loaded in this epoch.
    epoch: u64,
    born: Instant,
    /// Rows in the young generation.
    rows: usize,
    young: Generation<K, V>,
    old: Generation<K, V>,
}

/// When its load began, and what it found.
type Generation<K, V> = HashMap<K, (Instant, Option<V>)>;

impl<K: Eq + Hash, V: Clone> Kept<K, V> {
    /// Nothing yet.
    pub(super) fn new(watch: Watch) -> Kept<K, V> {
        let shard = || Shard { epoch: 0, born: Instant::now(), rows: 0, young: HashMap::new(), old: HashMap::new() };
        Kept { watch, hasher: RandomState::new(), shards: std::array::from_fn(|_| RwLock::new(shard())) }
    }

    /// To be called before a load, for what it finds.
    pub(super) fn start(&self) -> Start {
        Start { at: Instant::now(), epoch: self.watch.epoch() }
    }

    /// What is kept for `key`: a value, or that there is none.
    pub(super) fn get(&self, key: &K) -> Option<Option<V>> {
        let shard = self.shard(key)?.read().unwrap_or_else(PoisonError::into_inner);
        if shard.epoch != self.watch.epoch() {
            return None;
        }
        let (at, value) = shard.young.get(key).or_else(|| shard.old.get(key))?;
        (at.elapsed() < LIFETIME).then(|| value.clone())
    }

    /// Keeps what a load has found, unless something has changed since it began.
    pub(super) fn put(&self, key: K, value: Option<V>, rows: usize, start: Start) {
        let Some(shard) = self.shard(&key) else { return };
        let shard = &mut *shard.write().unwrap_or_else(PoisonError::into_inner);
        if start.epoch != self.watch.epoch() || rows > GENERATION_ROWS {
            return;
        }
        if shard.epoch != start.epoch {
            shard.turn(start.at);
            shard.old.clear();
            shard.epoch = start.epoch;
        } else if shard.rows + rows > GENERATION_ROWS || start.at.saturating_duration_since(shard.born) >= LIFETIME {
            shard.turn(start.at);
        }
        shard.rows += rows;
        shard.young.insert(key, (start.at, value));
    }

    fn shard(&self, key: &K) -> Option<&RwLock<Shard<K, V>>> {
        // The upper bits: the maps use the lower ones of a hash of their own.
        let hash = self.hasher.hash_one(key) >> 32;
        self.shards.get(usize::try_from(hash).ok()? % SHARDS)
    }
}

impl<K, V> Shard<K, V> {
    fn turn(&mut self, now: Instant) {
        self.old = std::mem::take(&mut self.young);
        (self.rows, self.born) = (0, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::db::Changes;

    fn kept() -> (Changes, Kept<u32, u32>) {
        let changes = Changes::default();
        let kept = Kept::new(changes.watch(&["thing"]));
        (changes, kept)
    }

    /// A load that began so long ago.
    fn begun(kept: &Kept<u32, u32>, ago: Duration) -> Start {
        let now = kept.start();
        Start { at: now.at.checked_sub(ago).unwrap(), ..now }
    }

    #[test]
    fn a_value_and_its_absence_are_kept() {
        let (_, kept) = kept();
        assert_eq!(kept.get(&1), None);
        kept.put(1, Some(10), 1, kept.start());
        kept.put(2, None, 1, kept.start());
        assert_eq!((kept.get(&1), kept.get(&2), kept.get(&3)), (Some(Some(10)), Some(None), None));
        kept.put(1, Some(11), 1, kept.start());
        assert_eq!(kept.get(&1), Some(Some(11)));
    }

    #[test]
    fn the_second_counts_from_the_start_of_the_load() {
        let (_, kept) = kept();
        kept.put(1, Some(10), 1, begun(&kept, LIFETIME));
        kept.put(2, Some(20), 1, begun(&kept, Duration::ZERO));
        assert_eq!(kept.get(&1), None);
        // A machine that stands still for a second between these lines proves nothing.
        let started = Instant::now();
        let found = kept.get(&2);
        assert!(found == Some(Some(20)) || started.elapsed() >= LIFETIME);
    }

    #[test]
    fn a_change_drops_what_was_loaded_before_and_keeps_out_what_began_before() {
        let (changes, kept) = kept();
        let early = kept.start();
        kept.put(1, Some(10), 1, early);
        changes.everything_changed();
        assert_eq!(kept.get(&1), None);
        kept.put(1, Some(10), 1, early);
        assert_eq!(kept.get(&1), None, "it may be what was there before the change");
        kept.put(2, Some(20), 1, kept.start());
        assert_eq!((kept.get(&1), kept.get(&2)), (None, Some(Some(20))), "and is not found in the new epoch");
    }

    #[test]
    fn there_is_room_for_so_many_rows_and_the_latest_are_there() {
        let (_, kept) = kept();
        let most = 2 * SHARDS * GENERATION_ROWS;
        for key in 0..200_000 {
            kept.put(key, Some(key), 3, kept.start());
            assert!(key % 997 != 0 || kept.get(&key) == Some(Some(key)), "{key}");
        }
        let held = |shard: &RwLock<Shard<u32, u32>>| {
            let shard = shard.read().unwrap();
            shard.young.len() + shard.old.len()
        };
        let held: usize = kept.shards.iter().map(held).sum();
        assert!(3 * held <= most && 3 * held > most / 2, "{held} entries of three rows");
        kept.put(1_000_000, Some(1), GENERATION_ROWS + 1, kept.start());
        assert_eq!(kept.get(&1_000_000), None, "too large a value is not kept");
    }
}
