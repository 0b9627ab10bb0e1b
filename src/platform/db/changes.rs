//! What has changed, by kind: so that whoever keeps rows for a moment knows when to drop them.
//!
//! A kind is the name of an event ([`Event::KIND`](crate::platform::outbox::Event::KIND)) or one that a feature gives
//! to its rows ([`Tx::changed`](super::Tx::changed)). A commit on this node counts before [`super::Db::transaction`]
//! returns; the commits of other nodes are heard from PostgreSQL, or noticed when one of their events is read.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// What this node knows of changes; a clone knows the same.
#[derive(Clone, Default)]
pub struct Changes(Arc<RwLock<HashMap<&'static str, Arc<Counter>>>>);

/// Neither number ever falls, so that equal sums mean equal numbers.
#[derive(Default)]
struct Counter {
    /// Changes counted.
    count: AtomicU64,
    /// The last event of this kind that was read from the log, by its position.
    position: AtomicU64,
}

impl Counter {
    fn add(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
    }
}

impl Changes {
    /// Counts the changes of `kinds` from now on.
    pub fn watch(&self, kinds: &[&'static str]) -> Watch {
        let mut counters = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Watch(kinds.iter().map(|kind| counters.entry(kind).or_default().clone()).collect())
    }

    /// Something of this kind may be another than before. Nothing happens if nobody watches it.
    pub(super) fn changed(&self, kind: &str) {
        self.with(kind, Counter::add);
    }

    /// An event of this kind at this position of the log has been read here: what is loaded for it must not be older.
    /// Any number of readers of one event count as one change.
    pub fn reached(&self, kind: &str, position: i64) {
        let position = u64::try_from(position).unwrap_or_default();
        self.with(kind, |counter| {
            counter.position.fetch_max(position, Ordering::SeqCst);
        });
    }

    /// Everything may be another than before: commits of other nodes were not heard.
    pub fn everything_changed(&self) {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().for_each(|counter| counter.add());
    }

    /// The changes of `kinds`, counted when the value is dropped: also when a commit is abandoned half way, since
    /// PostgreSQL may have finished it all the same.
    pub(super) fn when_dropped<'a>(&'a self, kinds: &'a [&'static str]) -> impl Drop + Send + use<'a> {
        struct Pending<'a>(&'a Changes, &'a [&'static str]);

        impl Drop for Pending<'_> {
            fn drop(&mut self) {
                self.1.iter().for_each(|kind| self.0.changed(kind));
            }
        }
        Pending(self, kinds)
    }

    fn with(&self, kind: &str, act: impl FnOnce(&Counter)) {
        if let Some(counter) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(kind) {
            act(counter);
        }
    }
}

/// Some kinds' changes.
pub struct Watch(Box<[Arc<Counter>]>);

impl Watch {
    /// A number that is another one after each change.
    pub fn epoch(&self) -> u64 {
        let numbers = |counter: &Arc<Counter>| {
            counter.count.load(Ordering::SeqCst).wrapping_add(counter.position.load(Ordering::SeqCst))
        };
        self.0.iter().map(numbers).fold(0, u64::wrapping_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_of_a_watched_kind_makes_another_epoch() {
        let changes = Changes::default();
        let (both, users) = (changes.watch(&["course", "user"]), changes.watch(&["user"]));
        let mut seen = vec![both.epoch()];
        let mut changed = |expected: bool| {
            let now = both.epoch();
            assert_eq!(!seen.contains(&now), expected, "{now} after {seen:?}");
            seen.push(now);
        };
        changes.changed("course");
        changed(true);
        changes.changed("order");
        changed(false);
        assert_eq!(users.epoch(), changes.watch(&["user"]).epoch());
        let before = users.epoch();
        changes.changed("user");
        changed(true);
        assert_ne!(users.epoch(), before);
        changes.everything_changed();
        changed(true);
        let pending = changes.when_dropped(&["course", "order"]);
        changed(false);
        drop(pending);
        changed(true);
    }

    #[test]
    fn an_event_counts_once_however_many_read_it_and_older_ones_do_not() {
        let changes = Changes::default();
        let watch = changes.watch(&["course"]);
        for (position, expected) in [(7, true), (7, false), (3, false), (-1, false), (8, true)] {
            let before = watch.epoch();
            changes.reached("course", position);
            assert_eq!(watch.epoch() != before, expected, "{position}");
        }
    }
}
