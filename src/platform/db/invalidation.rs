//! Cross-node invalidation: which cached values are stale.
//!
//! A write marks the [`CacheKey`]s that it changes ([`Tx::changed`](super::Tx::changed)), and a cached value lists the
//! keys that it depends on. A value is stale if one of its keys has changed since its load began. A commit on this node
//! takes effect before [`super::Db::transaction`] returns. Commits of other nodes take effect when their `NOTIFY`
//! arrives or when one of their events is read.
//!
//! Keys are hashed into a fixed number of slots, so there is no growing map and no lock, and checking a key takes one
//! atomic read. Two keys in the same slot are invalidated together, which is safe and costs an extra load.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use uuid::Uuid;

/// The number of slots; together they take 1 MiB of memory.
const SLOTS: usize = 1 << 16;

/// A dependency of cached values: a row, by its kind and id, or all lists of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheKey(u16);

impl CacheKey {
    /// Returns the key of one item, identified by a row id or a text such as a slug.
    pub fn of(kind: &str, id: impl AsRef<[u8]>) -> CacheKey {
        // FNV-1a (https://datatracker.ietf.org/doc/html/draft-eastlake-fnv), folded to 16 bits: the result is the same
        // on all nodes, whatever compiler built them.
        let bytes = kind.bytes().chain([0]).chain(id.as_ref().iter().copied());
        let hash = bytes
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        let [a, b, c, d, e, f, g, h] = hash.to_le_bytes();
        CacheKey(u16::from_le_bytes([a ^ c ^ e ^ g, b ^ d ^ f ^ h]))
    }

    /// Returns the key of a whole kind.
    ///
    /// It stands for the lists of the kind, or for rows that change too rarely to need a key each.
    pub fn all(kind: &str) -> CacheKey {
        CacheKey::of(kind, [])
    }
}

/// The changes that this node knows of; clones share the same state.
#[derive(Clone)]
pub struct Invalidation(Arc<State>);

struct State {
    /// The number of changes so far.
    now: AtomicU64,
    /// The number of the last change that invalidated everything.
    everything: AtomicU64,
    slots: Box<[Slot]>,
}

#[derive(Default)]
struct Slot {
    /// The number of the slot's last change.
    changed: AtomicU64,
    /// The highest log position of the events read about the slot's keys.
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
    /// Returns the current point in the sequence of changes. Call it before a load.
    pub fn now(&self) -> Instant {
        Instant(self.0.now.load(Ordering::SeqCst))
    }

    /// Returns whether none of `keys` has changed since `since`.
    pub fn is_current(&self, keys: &[CacheKey], since: Instant) -> bool {
        self.0.everything.load(Ordering::SeqCst) <= since.0
            && keys.iter().all(|key| self.slot(*key).is_some_and(|slot| slot.changed.load(Ordering::SeqCst) <= since.0))
    }

    /// Invalidates everything, for example after notifications of other nodes were missed.
    pub fn everything_changed(&self) {
        let number = self.next();
        self.0.everything.fetch_max(number, Ordering::SeqCst);
    }

    /// Invalidates what an event is about, when the event is read on this node.
    ///
    /// `position` is the event's position in the log. Each `<kind>_id` field of the event names a row: the row and the
    /// lists of its kind are invalidated. Repeated reads of the same event count as one change.
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

    /// Invalidates the values that depend on `key`.
    pub(super) fn changed(&self, key: CacheKey) {
        let number = self.next();
        if let Some(slot) = self.slot(key) {
            slot.changed.fetch_max(number, Ordering::SeqCst);
        }
    }

    /// Invalidates the keys in a `NOTIFY` payload from another node.
    pub fn heard(&self, payload: &str) {
        for key in payload.split(' ') {
            match u16::from_str_radix(key, 16) {
                Ok(key) => self.changed(CacheKey(key)),
                Err(_) => self.everything_changed(),
            }
        }
    }

    /// Returns a guard that invalidates `keys` when it is dropped.
    ///
    /// It does so even if the commit is canceled midway, because PostgreSQL may have completed it.
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

/// Returns the `NOTIFY` payload for `keys`.
///
/// A payload is limited to 7,999 bytes. Too many keys are sent as `*`, which invalidates everything.
pub fn payload(keys: &[CacheKey]) -> String {
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
