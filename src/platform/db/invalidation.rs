//! Cross-node invalidation: which cached values are stale.
//!
//! A write names what it changes by [`CacheKey`]s ([`Tx::changed`](super::Tx::changed)), and a cached value names the keys
//! that it was derived from. A value is stale once one of its keys has changed after its load began. A commit on this
//! node counts before [`super::Db::transaction`] returns; commits of other nodes arrive by `NOTIFY`, or are noticed when
//! one of their events is read.
//!
//! Keys are hashed into a fixed number of slots: no map that grows, no lock, and one atomic read to check a key. Two keys
//! of one slot are invalidated together, which costs a load and is never wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use uuid::Uuid;

/// The number of slots, which take 1 MiB of memory.
const SLOTS: usize = 1 << 16;

/// Something that cached values are derived from: a row by its kind and id, or a list by its kind alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheKey(u16);

impl CacheKey {
    /// The key of one thing: of a row by its id, of a text by the text.
    pub fn of(kind: &str, id: impl AsRef<[u8]>) -> CacheKey {
        // FNV-1a (https://datatracker.ietf.org/doc/html/draft-eastlake-fnv), folded to the slots: the same on all nodes,
        // whatever they were built with.
        let bytes = kind.bytes().chain([0]).chain(id.as_ref().iter().copied());
        let hash = bytes
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        let [a, b, c, d, e, f, g, h] = hash.to_le_bytes();
        CacheKey(u16::from_le_bytes([a ^ c ^ e ^ g, b ^ d ^ f ^ h]))
    }

    /// The key of everything of a kind: of lists, and of what is too rarely written to tell apart.
    pub fn all(kind: &str) -> CacheKey {
        CacheKey::of(kind, [])
    }
}

/// What this node knows of changes; a clone knows the same.
#[derive(Clone)]
pub struct Invalidation(Arc<State>);

struct State {
    /// Counts the changes.
    now: AtomicU64,
    /// The number of the last change of everything.
    everything: AtomicU64,
    slots: Box<[Slot]>,
}

#[derive(Default)]
struct Slot {
    /// The number of the slot's last change.
    changed: AtomicU64,
    /// The position of the last event that was read about the slot.
    position: AtomicU64,
}

/// A point in the sequence of changes: when a load began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant(u64);

impl Default for Invalidation {
    fn default() -> Invalidation {
        let slots = std::iter::repeat_with(Slot::default).take(SLOTS).collect();
        Invalidation(Arc::new(State { now: AtomicU64::new(0), everything: AtomicU64::new(0), slots }))
    }
}

impl Invalidation {
    /// The present point in the sequence of changes. To be taken before a load.
    pub fn now(&self) -> Instant {
        Instant(self.0.now.load(Ordering::SeqCst))
    }

    /// Returns whether nothing that a value depends on has changed after `since`.
    pub fn is_current(&self, keys: &[CacheKey], since: Instant) -> bool {
        self.0.everything.load(Ordering::SeqCst) <= since.0
            && keys.iter().all(|key| self.slot(*key).is_some_and(|slot| slot.changed.load(Ordering::SeqCst) <= since.0))
    }

    /// Invalidates everything: commits of other nodes were missed.
    pub fn everything_changed(&self) {
        let number = self.next();
        self.0.everything.fetch_max(number, Ordering::SeqCst);
    }

    /// An event at this position of the log has been read on this node: nothing older may be loaded for it, neither what
    /// it is about, which its fields `<kind>_id` name, nor lists of it. Any number of readers count as one change.
    pub fn reached(&self, position: i64, event: &Value) {
        let position = u64::try_from(position).unwrap_or_default();
        for (field, id) in event.as_object().into_iter().flatten() {
            let id = id.as_str().and_then(|id| Uuid::parse_str(id).ok());
            let (Some(kind), Some(id)) = (field.strip_suffix("_id"), id) else { continue };
            let key = CacheKey::of(kind, id);
            let known =
                self.slot(key).is_none_or(|slot| slot.position.fetch_max(position, Ordering::SeqCst) >= position);
            if !known {
                self.changed(key);
                self.changed(CacheKey::all(kind));
            }
        }
    }

    /// Invalidates what depends on `key`.
    pub(super) fn changed(&self, key: CacheKey) {
        let number = self.next();
        if let Some(slot) = self.slot(key) {
            slot.changed.fetch_max(number, Ordering::SeqCst);
        }
    }

    /// Invalidates what a `NOTIFY` of another node names.
    pub(crate) fn heard(&self, payload: &str) {
        for key in payload.split(' ') {
            match u16::from_str_radix(key, 16) {
                Ok(key) => self.changed(CacheKey(key)),
                Err(_) => self.everything_changed(),
            }
        }
    }

    /// Invalidates `keys` when the returned value is dropped: also when a commit is abandoned halfway, since PostgreSQL
    /// may have finished it.
    pub(super) fn when_dropped<'a>(&'a self, keys: &'a [CacheKey]) -> impl Drop + Send + use<'a> {
        struct Pending<'a>(&'a Invalidation, &'a [CacheKey]);

        impl Drop for Pending<'_> {
            fn drop(&mut self) {
                self.1.iter().for_each(|key| self.0.changed(*key));
            }
        }
        Pending(self, keys)
    }

    fn next(&self) -> u64 {
        self.0.now.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn slot(&self, key: CacheKey) -> Option<&Slot> {
        self.0.slots.get(usize::from(key.0))
    }
}

/// The payload of a `NOTIFY` about `keys`, which has room for 7,999 bytes: beyond that, everything has changed.
pub(crate) fn payload(keys: &[CacheKey]) -> String {
    if keys.len() > 1500 {
        return "*".into();
    }
    keys.iter().map(|key| format!("{:x}", key.0)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn course(id: u128) -> CacheKey {
        CacheKey::of("course", Uuid::from_u128(id))
    }

    #[test]
    fn a_change_makes_older_loads_of_its_key_stale_and_no_others() {
        let changes = Invalidation::default();
        let before = changes.now();
        changes.changed(course(1));
        assert!(!changes.is_current(&[course(1)], before) && !changes.is_current(&[course(2), course(1)], before));
        assert!(changes.is_current(&[course(2), CacheKey::all("course")], before));
        assert!(changes.is_current(&[course(1)], changes.now()), "a load that begins later sees the change");
        let before = changes.now();
        let keys = [course(3), course(4)];
        let pending = changes.when_dropped(&keys);
        assert!(changes.is_current(&keys, before));
        drop(pending);
        assert!(!changes.is_current(&[course(3)], before) && !changes.is_current(&[course(4)], before));
        changes.everything_changed();
        assert!(!changes.is_current(&[], before));
    }

    #[test]
    fn what_one_node_sends_the_others_understand() {
        let (one, other) = (Invalidation::default(), Invalidation::default());
        let before = other.now();
        other.heard(&payload(&[course(1), CacheKey::all("catalog")]));
        assert!(!other.is_current(&[course(1)], before) && !other.is_current(&[CacheKey::all("catalog")], before));
        assert!(other.is_current(&[course(2)], before) && one.is_current(&[course(1)], one.now()));
        let many: Vec<CacheKey> = (0..2000).map(course).collect();
        assert!(payload(&many).len() < 8000);
        other.heard(&payload(&many));
        assert!(!other.is_current(&[course(70_000)], before), "too many to name: everything");
    }

    #[test]
    fn an_event_counts_once_however_many_read_it_and_older_ones_do_not() {
        let changes = Invalidation::default();
        let event = json!({ "course_id": Uuid::from_u128(1), "lesson_id": Uuid::from_u128(2), "title": "x" });
        for (position, expected) in [(7, true), (7, false), (3, false), (-1, false), (8, true)] {
            let before = changes.now();
            changes.reached(position, &event);
            assert_eq!(!changes.is_current(&[course(1)], before), expected, "{position}");
        }
        assert!(changes.is_current(&[course(2)], changes.now()));
    }

    #[test]
    fn keys_are_spread_and_depend_on_kind_and_id() {
        let keys: std::collections::HashSet<CacheKey> = (0..10_000).map(course).collect();
        assert!(keys.len() > 9_000, "{} slots for 10,000 ids", keys.len());
        assert_ne!(CacheKey::of("course", "ab"), CacheKey::of("coursea", "b"));
        assert_ne!(CacheKey::all("course"), CacheKey::all("catalog"));
    }
}
